"""Caches what is likely to be needed again: spoken clauses, vectors of sentences."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class ByteCache(Generic[K]):
    """The most recently used byte strings, up to *limit_bytes*. Not thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._kept: OrderedDict[K, bytes] = OrderedDict()

    def get(self, key: K) -> bytes | None:
        """What was put under *key*, if it is cached."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: K, value: bytes) -> None:
        """Store *value*, and drop the least recently used ones."""
        self._size_bytes += len(value) - len(self._kept.pop(key, b""))
        self._kept[key] = value
        while self._size_bytes > self._limit_bytes:
            self._size_bytes -= len(self._kept.popitem(last=False)[1])
