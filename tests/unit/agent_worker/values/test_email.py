"""Mail addresses: typed, spoken, spelled, corrected."""

from datetime import UTC, datetime

import pytest

from agent_worker.values import EmailKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
EMAIL = EmailKind()


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("first.last_92@example.com", "first.last_92@example.com"),
        ("It's First.Last@Example.com.", "first.last@example.com"),
        (
            "my email is first dot last underscore ninety two at example dot com please",
            "first.last_92@example.com",
        ),
        ("first.last_92 at example.com", "first.last_92@example.com"),
        ("it's john at gmail", "john@gmail.com"),
        ("john smith at g mail dot com", "johnsmith@gmail.com"),
        (
            "you can reach me at jane dash doe at my company dot co dot uk",
            "jane-doe@mycompany.co.uk",
        ),
        ("j, d, o, e, at example dot org", "jdoe@example.org"),
        ("s-m-y-t-h at example dot com", "smyth@example.com"),
        ("J as in John, D O E at example dot org", "jdoe@example.org"),
        ("Anna, A double N A, at gmail dot com", "anna@gmail.com"),
        ("mike dot jones at outlook", "mike.jones@outlook.com"),
        ("all lower case, ann hyphen marie at example dot com", "ann-marie@example.com"),
        ("info at example dot com, all lower case", "info@example.com"),
        ("send it to bob nineteen eighty four at yahoo dot com", "bob1984@yahoo.com"),
        ("jo plus shop at example dot net", "jo+shop@example.net"),
        ("oh seven at example dot com", "07@example.com"),
        ("sales at example dot c o m", "sales@example.com"),
        ("me at example dot com", "me@example.com"),
        ("t as in tango, lee, L E E, at example dot me", "tlee@example.me"),
        ("look at example.com", None),
        ("I live at example street", None),
        ("can I come at three", None),
    ],
)
def test_email_is_found_in_what_was_said(said: str, address: str | None) -> None:
    """In lower case, whatever the recognizer wrote."""
    found = EMAIL.find(said, NOW)
    assert [one.value for one in found] == ([address] if address else [])


def test_email_in_breaths_is_put_together() -> None:
    """The part before the at, then the rest."""
    part = EMAIL.answer("first dot last", NOW)
    assert part is not None
    assert part.value == "first.last"
    assert part.question == "F, I, R, S, T, dot, L, A, S, T, and after the at?"
    assert EMAIL.may_go_on("first.last")
    assert EMAIL.go_on("first.last", "underscore ninety two", NOW) == "first.last_92"
    assert EMAIL.go_on("first.last", "at example dot com", NOW) == "first.last@example.com"
    assert EMAIL.go_on("first.last@example", "dot com", NOW) == "first.last@example.com"
    assert not EMAIL.may_go_on("first.last@example.com")
    assert EMAIL.answer("can I come at three", NOW) is None


@pytest.mark.parametrize(
    ("said", "corrected"),
    [
        ("no, dot org", "bavid.smith-9@example.org"),
        ("no, at gmail", "bavid.smith-9@gmail.com"),
        ("underscore not dash", "bavid.smith_9@example.com"),
        ("the first letter is D", "david.smith-9@example.com"),
        ("david, not bavid", "david.smith-9@example.com"),
        ("no, it's anna at example dot com", "anna@example.com"),
        ("no, D as in dog", None),
        ("no", None),
    ],
)
def test_email_correction_changes_what_it_names(said: str, corrected: str | None) -> None:
    """A letter that may stand for several in the address changes nothing."""
    assert EMAIL.correct("bavid.smith-9@example.com", said, NOW) == corrected


def test_email_is_said_letter_by_letter_but_for_plain_words() -> None:
    """A name sounds like others; a provider does not."""
    assert EMAIL.say("ann_9@gmail.com", NOW) == "A, N, N, underscore, 9, at, gmail, dot, com"


@pytest.mark.parametrize("written", ["Ann@example.com", "ann@example", "ann", "a b@c.com", 5, None])
def test_email_canonical_form_is_a_valid_address_in_lower_case(written: object) -> None:
    """Its syntax is checked, not whether it exists."""
    with pytest.raises(ValueError, match="mail address"):
        EMAIL.from_json(written)  # type: ignore[arg-type]
