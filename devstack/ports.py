"""Checks that the ports that the stack needs are free."""

import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from devstack.service import Service
from devstack.services import SERVICES, Loaded
from service_base.settings import ENV_PREFIX


@dataclass(frozen=True)
class Port:
    """A port that a service will listen on."""

    service: Service
    setting: str
    kind: str
    """`tcp` or `udp`"""
    host: str
    number: int


def needed(loaded: Loaded, names: Iterable[str]) -> list[Port]:
    """The ports of the services called *names*."""
    wanted = set(names)
    return [
        Port(service, setting, kind, service.address(loaded[service.name])[0], number)
        for service in SERVICES
        if service.name in wanted
        for setting, kind in {service.port: "tcp", **service.more_ports}.items()
        for number in [getattr(loaded[service.name], setting)]
    ]


def problems(ports: list[Port]) -> Iterator[str]:
    """A sentence for each port that two services share or that is not free."""
    seen: dict[tuple[str, int], Port] = {}
    for port in ports:
        variable = (ENV_PREFIX + port.setting).upper()
        other = seen.setdefault((port.kind, port.number), port)
        if other is not port:
            yield (
                f"{variable}: the {port.service.label} and the {other.service.label} are both "
                f"to use {port.kind.upper()} port {port.number}; give one of them another."
            )
        elif reason := _unavailable(port):
            yield (
                f"{variable}: the {port.service.label} needs {port.kind.upper()} port "
                f"{port.number} on {port.host}, but {reason}; "
                "stop what uses it or set another port."
            )


def _unavailable(port: Port) -> str | None:
    kind = socket.SOCK_STREAM if port.kind == "tcp" else socket.SOCK_DGRAM
    try:
        family, _, _, _, address = socket.getaddrinfo(port.host, port.number, type=kind)[0]
        with socket.socket(family, kind) as probe:
            if kind is socket.SOCK_STREAM:
                # As servers do; else a connection that was just closed counts as taken.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            if kind is socket.SOCK_STREAM:
                probe.listen()
    except PermissionError:
        return "only the administrator may use it"
    except OSError as error:
        taken = "already in use" in str(error.strerror)
        return "it is taken" if taken else f"that fails: {error.strerror or error}"
    return None
