"""Where requests come from."""

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from call_record.keys import KeyRing
from token_service.networks import ALIKE, ProxyWatch, networks_of, subscriber_of

KEYS = KeyRing("k", {"k": b"secret"})


def request(host: str | None, **headers: str) -> Request:
    """A request from there."""
    client = None if host is None else (host, 1)
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "client": client, "headers": sent})


@pytest.mark.parametrize(
    ("host", "subscriber"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::/64"),
        ("a" * 500, "a" * 64),
        (None, ""),
    ],
)
def test_subscriber_of_ipv6_is_its_network(host: str | None, subscriber: str) -> None:
    """Whoever has one has 2^64 addresses."""
    assert subscriber_of(request(host)) == subscriber


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("192.0.2.1", "192.0.2.1", 2),
        ("192.0.2.1", "192.0.2.200", 1),
        ("192.0.2.1", "192.0.3.1", 0),
        ("192.0.2.1", "::ffff:192.0.2.1", 2),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", 3),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", 2),
        ("2001:db8:1:2::1", "2001:db8:1:ff00::1", 1),
        ("2001:db8:1:2::1", "2001:db8:2:2::1", 0),
    ],
)
def test_networks_of_neighbours_are_the_larger_ones(one: str, other: str, shared: int) -> None:
    """Their names tell nothing without the key."""
    first, second = networks_of(request(one), KEYS), networks_of(request(other), KEYS)
    assert len(set(first) & set(second)) == shared
    assert first[len(first) - shared :] == second[len(second) - shared :]
    assert all(len(name) == 16 and name not in one for name in first)
    rekeyed = networks_of(request(one), KeyRing("k", {"k": b"another"}))
    assert not set(rekeyed) & set(first)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "unix", None])
def test_loopback_and_what_is_no_address_have_no_network(host: str | None) -> None:
    """Their requests are this machine's own."""
    assert networks_of(request(host), KEYS) == ()


@pytest.mark.parametrize(
    ("hosts", "headers", "warns"),
    [
        (["10.0.0.1"], {}, True),
        (["127.0.0.1"], {"x_forwarded_for": "192.0.2.1"}, True),
        (["127.0.0.1"], {}, False),
        (["192.0.2.1", "192.0.2.2"], {}, False),
    ],
)
def test_proxy_that_nobody_listed_is_warned_of_once(
    hosts: list[str], headers: dict[str, str], warns: bool
) -> None:
    """When many callers in a row come from one address. One who calls often is no proxy."""
    watch = ProxyWatch()
    with capture_logs() as logs:
        for _ in range(3 * ALIKE):
            watch.saw(request(hosts[0], **headers), "the same caller")
        assert logs == []
        for number in range(3 * ALIKE):
            watch.saw(request(hosts[number % len(hosts)], **headers), f"caller {number}")
    assert [line["event"] for line in logs] == ["callers.one_address"] * warns
