"""What a session is called after the program that opened it."""

import pytest
from chubei_gateway.devices import device
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Mozilla/5.0 (Linux; Android 14; M2) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile "
            "Safari/537.36",
            "Chrome 131 · Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari 17 · iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
            "Safari/537.36 Edg/131.0.0.0",
            "Edge 131 · Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 "
            "Mobile Safari/537.36 MicroMessenger/8.0.47",
            "微信 WeChat 8 · Android",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox 133 · Linux"),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("", "-"),
        (None, "-"),
    ],
)
def test_names(said: str | None, told: str) -> None:
    assert device(said) == told


@given(st.text(max_size=400))
def test_whatever_is_sent_is_told_shortly(said: str) -> None:
    assert 1 <= len(device(said)) <= 100
    assert device(said).isprintable()
