"""What a district's folder says of readiness (readiness.json): named roads, joint losses and whatever else it sets."""

import json
from pathlib import Path
from typing import Any

from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.readiness_settings import ReadinessSettings
from pydantic import ValidationError

from .errors import CommandError

FILE = "readiness.json"


def read_readiness(folder: Path) -> dict[str, Any]:
    """The settings that the file gives; none where there is no file. Raises CommandError."""
    path = folder / FILE
    try:
        told: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}:读不了,请改正 / cannot be read, correct it: {error}") from error
    unknown = sorted(set(told) - set(ReadinessSettings.model_fields)) if isinstance(told, dict) else ["[]"]
    if unknown:
        raise CommandError(
            f"{path}:没有 {', '.join(unknown)} 这一项,请改名 / there is no such setting: correct it"
        )
    return dict(told)


def seed_readiness(allocation: AllocationClient, told: dict[str, Any], folder: Path) -> None:
    """Set what the file gives, and leave the rest as it is. Raises CommandError where it is no setting."""
    if not told:
        return
    now = allocation.readiness_settings().settings.model_dump(mode="json")
    try:
        wanted = ReadinessSettings.model_validate_json(json.dumps(now | told))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise CommandError(f"{folder / FILE}: {place}: {first['msg']}") from error
    allocation.put_readiness_settings(wanted, "*")
