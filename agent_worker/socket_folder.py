"""Where the sockets are over which the processes of calls reach the worker."""

import os
import tempfile

FOLDER_MAX_BYTES = 80
"""A socket's path has 103 bytes on macOS, 107 on Linux; what remains is for the socket's name."""


def socket_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder of our own, in /tmp where the usual folder's path is too long for a socket."""
    usual = tempfile.gettempdir()
    is_short = len(os.fsencode(usual)) < FOLDER_MAX_BYTES - len("/parley-12345678")
    return tempfile.TemporaryDirectory(prefix="parley-", dir=usual if is_short else "/tmp")  # noqa: S108
