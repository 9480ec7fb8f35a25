"""The cache of spoken clauses."""

from speech_server.cache import ByteCache


def test_cache_same_clause_and_speed_gives_the_sound_again() -> None:
    """What was put is got."""
    cache = ByteCache[tuple[str, float]](10)
    cache.put(("hello", 1.0), b"1234")
    assert cache.get(("hello", 1.0)) == b"1234"
    assert cache.get(("hello", 1.1)) is None


def test_cache_full_drops_what_was_not_used_for_longest() -> None:
    """The limit is in bytes, and use keeps a clause."""
    cache = ByteCache[tuple[str, float]](10)
    for name in "abc":
        cache.put((name, 1.0), b"123")
    cache.get(("a", 1.0))
    cache.put(("d", 1.0), b"1234")
    assert [name for name in "abcd" if cache.get((name, 1.0))] == ["a", "c", "d"]


def test_cache_same_key_again_does_not_grow() -> None:
    """Two requests for one clause at once count once."""
    cache = ByteCache[tuple[str, float]](10)
    for _ in range(5):
        cache.put(("a", 1.0), b"12345")
    cache.put(("b", 1.0), b"12345")
    assert cache.get(("a", 1.0)) and cache.get(("b", 1.0))


def test_cache_sound_larger_than_the_limit_is_not_kept() -> None:
    """A limit of nothing keeps nothing."""
    cache = ByteCache[tuple[str, float]](0)
    cache.put(("a", 1.0), b"1")
    assert cache.get(("a", 1.0)) is None
