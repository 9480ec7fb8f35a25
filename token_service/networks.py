"""Where a request comes from: who it is counted for, and the networks that hold shares."""

import hashlib
import hmac
from collections import deque
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from starlette.requests import Request

from call_record.keys import KeyRing

log = structlog.get_logger()

IPV4_PREFIXES = (32, 24)
"""One subscriber, or many behind one address; the smallest network that is routed by itself."""
IPV6_PREFIXES = (64, 56, 48)
"""What providers give to one subscriber."""
NAME_BYTES = 8
ALIKE = 20
"""So many callers in a row from one address are rather a proxy's."""


def subscriber_of(request: Request) -> str:
    """The address of a request's sender; for IPv6 its /64 network, which is one subscriber's."""
    address = _address(request)
    if address is None:
        return (request.client.host if request.client else "")[:64]
    return str(_network(address, 64)) if isinstance(address, IPv6Address) else str(address)


def networks_of(request: Request, keys: KeyRing) -> tuple[str, ...]:
    """
    Names of the networks that a request comes from, the smallest first: what the record counts
    calls by. They are keyed, so that the record tells nobody's address. Loopback has none.
    """
    address = _address(request)
    if address is None or address.is_loopback:
        return ()
    lengths = IPV4_PREFIXES if isinstance(address, IPv4Address) else IPV6_PREFIXES
    secret = keys.key(keys.current)
    return tuple(
        hmac.digest(secret, f"parley.network:{network}".encode(), hashlib.sha256)[:NAME_BYTES].hex()
        for network in (_network(address, length) for length in lengths)
    )


class ProxyWatch:
    """Warns, once, when all callers come from one address: of a proxy that nobody listed."""

    def __init__(self) -> None:
        self._last: deque[tuple[str, str]] = deque(maxlen=ALIKE)
        self._has_warned = False

    def saw(self, request: Request, caller: str) -> None:
        """That caller got a call by *request*."""
        subscriber = subscriber_of(request)
        address = _address(request)
        if address is not None and address.is_loopback and "x-forwarded-for" not in request.headers:
            return  # a developer's own browser, or a test
        if all(known != caller for _, known in self._last):
            self._last.append((subscriber, caller))
        is_one = len({known for known, _ in self._last}) == 1
        if is_one and len(self._last) == ALIKE and not self._has_warned:
            self._has_warned = True
            log.warning(
                "callers.one_address",
                callers=ALIKE,
                hint="If that is a proxy, list it in PARLEY_TOKEN_TRUSTED_PROXIES: its callers "
                "share the limits of one address.",
            )


def _address(request: Request) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _network(address: IPv4Address | IPv6Address, length: int) -> object:
    return ip_network(f"{address}/{length}", strict=False)
