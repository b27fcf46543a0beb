# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which broker: every wrong value is one line that names it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.delivery import BrokerSettings, from_url
from edge.errors import ConfigError


def test_urls_are_read() -> None:
    """Red when a part of the URL is dropped."""
    plain = from_url("mqtt://broker.example:1884", "truck-7")
    assert (plain.host, plain.port, plain.protocol, plain.tls, plain.login()) == (
        "broker.example",
        1884,
        "5",
        None,
        None,
    )
    secure = from_url("mqtts://truck:pa%40ss@broker.example", "truck-7", protocol="3.1.1")
    assert (secure.port, secure.protocol, secure.login()) == (8883, "3.1.1", ("truck", "pa@ss"))
    assert secure.tls is not None
    assert from_url("localhost", "truck-7").address == "localhost:1883"
    assert from_url("mqtt://[::1]:1883", "truck-7").host == "::1"


@pytest.mark.parametrize(
    "url",
    ["http://broker", "mqtt://", "mqtt://host:port", "mqtt://host:99999", "mqtt://host/topic", "mqtt://host?x=1", ""],
)
def test_what_is_no_broker_is_refused_with_one_line(url: str) -> None:
    """Red without the checks in `from_url`."""
    with pytest.raises(ConfigError, match=r"^broker"):
        from_url(url, "truck-7")


def test_a_password_is_never_shown() -> None:
    """Red without `shown` in `from_url` or `repr=False`."""
    with pytest.raises(ConfigError) as caught:
        from_url("mqtt://truck:secret@host:port", "truck-7")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(from_url("mqtt://truck:secret@host", "truck-7"))


@given(st.text(max_size=30))
def test_no_url_does_more_than_be_refused(url: str) -> None:
    """Red when an odd URL raises anything but ConfigError."""
    with contextlib.suppress(ConfigError):
        assert from_url(url, "truck-7").host


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vehicle": "Truck 7"}, "vehicle: 'Truck 7' is no name"),
        ({"host": ""}, r"broker\.host: is empty"),
        ({"port": 0}, r"broker\.port: 0"),
        ({"protocol": "4"}, r"broker\.protocol: '4'"),
    ],
)
def test_wrong_settings_name_their_key(changes: dict[str, object], message: str) -> None:
    """Red without `__post_init__`."""
    values: dict[str, object] = {"host": "broker", "vehicle": "truck-7", **changes}
    with pytest.raises(ConfigError, match=message):
        BrokerSettings(**values)  # type: ignore[arg-type]
