"""A sentence in the parts that say something by themselves."""

import pytest

from agent_worker.reasoning.clauses import clauses, is_topic


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("my car broke down, so I need another day", ["my car broke down", "I need another day"]),
        ("it rains and I want to stay in", ["it rains", "I want to stay in"]),
        ("clear it because it's full", ["clear it", "it's full"]),
        ("rooms 7 and 9, are they free?", ["rooms 7 and 9", "are they free"]),
        ("twelve fifty, please clear it", ["twelve fifty", "please clear it"]),
        ("clear room 7", ["clear room 7"]),
        ("no, clear it", ["clear it"]),
        ("yes", ["yes"]),
    ],
)
def test_sentence_is_parted_at_pauses_and_where_another_begins(said: str, parts: list[str]) -> None:
    assert clauses(said) == parts


@pytest.mark.parametrize("said", ["my room upstairs", "it's about my room", "the thing with {day}"])
def test_topic_says_nothing_of_what_is_wished(said: str) -> None:
    assert is_topic(said)


@pytest.mark.parametrize("said", ["my room is full", "clear my room", "the room I want"])
def test_clause_with_a_verb_is_no_topic(said: str) -> None:
    assert not is_topic(said)
