"""Finds a connector by the name that a setting gives it."""

from typing import TypeVar

from service_base import named_class
from service_base.settings import SettingsError

C = TypeVar("C")


def load(kind: type[C], name: str, variable: str, timeout_s: float) -> C:
    """
    The connector of `module:Class`, of that *kind*: `Crm` or `Tickets`.

    Args: variable: the setting that names it. timeout_s: seconds for each of its requests.
    Raises: SettingsError: it cannot be loaded, is not a connector, or lacks a setting of its own.
    """
    found = named_class.find(name, variable)
    if not hasattr(found, "connect"):
        raise SettingsError(f"{variable}: {name} has no method connect, so it is no connector.")
    try:
        connector = found.connect(timeout_s)
    except SettingsError:
        raise
    except Exception as error:
        raise SettingsError(f"{variable}: {name} cannot be connected: {error}") from error
    if not isinstance(connector, kind):
        raise SettingsError(f"{variable}: {name} is not of the protocol {kind.__name__}.")
    return connector
