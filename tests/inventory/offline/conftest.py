"""A clerk's device at a yard, and the supervisor."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chubei_shared.tokens import Role
from starlette.testclient import TestClient

sys.path.append(str(Path(__file__).parent))
from offline_cases import Phone


@pytest.fixture
def phone(yard: Any, sign_in: Callable[..., TestClient]) -> Phone:
    return Phone(yard, sign_in(Role.CLERK, yard.store))


@pytest.fixture
def boss(sign_in: Callable[..., TestClient]) -> TestClient:
    return sign_in(Role.APPROVER)
