"""`chubei openapi`: the document of the whole API, from the code alone; the web client is made from it."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from chubei_allocation.app import create_app as allocation
from chubei_gateway.app import create_app as gateway
from chubei_gateway.documents import merge
from chubei_inventory.app import create_app as inventory
from chubei_shared.settings import Settings
from chubei_shared.tokens import ensure_keys


def openapi(
    out: Annotated[Path, typer.Option("--out", help="写到此文件 / the file to write")],
) -> None:
    """写出全部接口的 OpenAPI 文档,不需服务 / write the OpenAPI document of all services; none need run."""
    with tempfile.TemporaryDirectory() as keys:
        ensure_keys(Path(keys))
        nowhere = Settings(
            database_url="postgresql://127.0.0.1:1", redis_url="redis://127.0.0.1:1", keys_dir=Path(keys)
        )
        others = {"inventory": inventory(nowhere).openapi(), "allocation": allocation(nowhere).openapi()}
        document = merge(gateway(nowhere).openapi(), others)
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1)
    if not out.exists() or out.read_text("utf-8") != text:  # an unchanged document makes nothing anew
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8")
