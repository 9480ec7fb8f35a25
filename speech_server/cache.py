"""Spoken clauses that may be asked for again: greetings, apologies, beginnings of replies."""

from collections import OrderedDict

Key = tuple[str, float]
"""The clause and its speed."""


class ClauseCache:
    """The last used clauses, as many as fit into *limit_bytes*. Used by one thread."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._sounds: OrderedDict[Key, bytes] = OrderedDict()

    def get(self, key: Key) -> bytes | None:
        """The clause's sound, if it is known."""
        if key in self._sounds:
            self._sounds.move_to_end(key)
        return self._sounds.get(key)

    def put(self, key: Key, sound: bytes) -> None:
        """Keep *sound*, and drop what was not used for longest."""
        self._size_bytes += len(sound) - len(self._sounds.pop(key, b""))
        self._sounds[key] = sound
        while self._size_bytes > self._limit_bytes:
            self._size_bytes -= len(self._sounds.popitem(last=False)[1])
