"""Classes that a setting names as `module:Class`."""

import importlib
from typing import Any

from service_base.settings import SettingsError


def find(name: str, variable: str) -> Any:
    """
    What *name* names.

    Args: variable: The setting, for the error.
    Raises: SettingsError: the module cannot be imported, for whatever reason, or has no such class.
    """
    module, _, class_name = name.partition(":")
    try:
        return getattr(importlib.import_module(module), class_name)
    except (Exception, SystemExit) as error:
        raise SettingsError(f"{variable}: {name} cannot be loaded: {error}") from error
