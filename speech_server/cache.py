"""Caches spoken clauses that are likely to be needed again, such as greetings."""

from collections import OrderedDict

Key = tuple[str, float]
"""The clause and its speed."""


class ClauseCache:
    """The most recently used clauses, up to *limit_bytes*. Not thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._sounds: OrderedDict[Key, bytes] = OrderedDict()

    def get(self, key: Key) -> bytes | None:
        """The clause's sound, if it is cached."""
        if key in self._sounds:
            self._sounds.move_to_end(key)
        return self._sounds.get(key)

    def put(self, key: Key, sound: bytes) -> None:
        """Store *sound*, and drop the least recently used clauses."""
        self._size_bytes += len(sound) - len(self._sounds.pop(key, b""))
        self._sounds[key] = sound
        while self._size_bytes > self._limit_bytes:
            self._size_bytes -= len(self._sounds.popitem(last=False)[1])
