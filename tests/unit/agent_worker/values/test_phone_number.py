"""Telephone numbers: whole, in breaths, corrected."""

from datetime import UTC, datetime

import pytest

from agent_worker.values import PhoneNumberKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
US = PhoneNumberKind()
GB = PhoneNumberKind("GB")


@pytest.mark.parametrize(
    ("kind", "said", "number"),
    [
        (US, "five five five one two three four five six seven", "5551234567"),
        (US, "five five five, one two three, double four six seven", "5551234467"),
        (US, "my number is 555 123 4567", "5551234567"),
        (US, "(555) 123-4567", "5551234567"),
        (US, "555.123.4567", "5551234567"),
        (US, "1 555 123 4567", "5551234567"),
        (US, "one eight hundred five five five, one two three four", "8005551234"),
        (US, "five five for one two three four five six seven", "5541234567"),
        (US, "+44 20 7946 0958", "+442079460958"),
        (US, "plus four four two oh seven nine four six oh nine five eight", "+442079460958"),
        (US, "order 7, my number is 555 123 4567 at 3", "5551234567"),
        (US, "call me tomorrow at 3, 555 123 4567", "5551234567"),
        (GB, "oh two oh seven nine four six oh nine five eight", "02079460958"),
        (GB, "oh seven seven double oh nine hundred one two three", "07700900123"),
        (GB, "+1 212 555 1234", "+12125551234"),
        (GB, "Oh, two, oh, seven, nine, four, six. Oh, nine, five, eight.", "02079460958"),
        (US, "Oh, 415-555-0123.", "4155550123"),
        (US, "Oh, four one five, five five five, oh one two three.", "4155550123"),
        (US, "area code five five five, then one two three, and then 4567", "5551234567"),
        (US, "five five five one two three 4567, sorry, 4568", "5551234568"),
        (US, "order seven", None),
        (US, "on 2026-12-04", None),
    ],
)
def test_phone_number_is_found_in_what_was_said(
    kind: PhoneNumberKind, said: str, number: str | None
) -> None:
    """With its leading zero, without the other numbers of the sentence."""
    found = kind.find(said, NOW)
    assert [one.value for one in found] == ([number] if number else [])
    assert not any(one.question for one in found)


def test_phone_number_in_breaths_is_put_together() -> None:
    """What was said so far has a question, and may go on."""
    part = US.answer("five five five, one two three", NOW)
    assert part is not None
    assert (part.value, part.question) == ("555123", "5 5 5 1 2 3, and then?")
    assert US.may_go_on("555123")
    assert US.go_on("555123", "and then double four six seven", NOW) == "5551234467"
    assert US.go_on("555", "one two three", NOW) == "555123"
    assert not US.may_go_on("5551234467")
    with pytest.raises(ValueError, match="telephone number"):
        US.from_json("555123")


def test_phone_number_does_not_go_on_with_other_words() -> None:
    """Nor with a number that is said again from the beginning."""
    assert US.go_on("555123", "wait a second", NOW) is None
    assert US.answer("I don't have one", NOW) is None
    assert US.go_on("555123", "555 123 4567", NOW) == "5551234567"


@pytest.mark.parametrize(
    "said",
    [
        "Oh, two, oh, seven, nine, four, six. Oh, nine, five, eight.",
        "Zero, two, zero, seven, nine, four, six, zero, nine, five, eight.",
        "Zero, 20 7946, 0958.",
        "Oh, 207946, oh, 958.",
    ],
)
def test_leading_zero_is_no_exclamation(said: str) -> None:
    """Of a number from elsewhere it must not make one of here."""
    found = US.answer(said, NOW)
    assert found is not None
    assert (found.value, bool(found.question)) == ("02079460958", True)


def test_phone_number_that_is_too_long_is_asked() -> None:
    """The digits are said back as they were heard."""
    found = US.answer("oh one seven one, five five five, oh one two three", NOW)
    assert found is not None
    assert found.value == "01715550123"
    assert found.question.startswith("I have 0 1 7 1 5 5 5 0 1 2 3, which is no whole number.")


@pytest.mark.parametrize(
    ("said", "corrected"),
    [
        ("no, the last digit is five", "5551234565"),
        ("the last four are 4568", "5551234568"),
        ("it ends in nine nine", "5551234599"),
        ("the third digit is eight", "5581234567"),
        ("six, not five", None),
        ("8, not 7", "5551234568"),
        ("not 4567 but 4568", "5551234568"),
        ("the area code is 212", "2121234567"),
        ("no, it's 555 123 9999", "5551239999"),
        ("no", None),
    ],
)
def test_phone_number_correction_changes_what_it_names(said: str, corrected: str | None) -> None:
    """Which of three fives is meant is not guessed."""
    assert US.correct("5551234567", said, NOW) == corrected


def test_phone_number_is_said_digit_by_digit_in_groups() -> None:
    """As its country groups them."""
    assert US.say("5551234567", NOW) == "5 5 5, 1 2 3, 4 5 6 7"
    assert GB.say("02079460958", NOW) == "0 2 0, 7 9 4 6, 0 9 5 8"
    assert US.say("+442079460958", NOW) == "plus 4 4, 2 0, 7 9 4 6, 0 9 5 8"


def test_phone_number_region_must_be_a_countrys_code() -> None:
    """Told where the author writes it."""
    with pytest.raises(ValueError, match="region"):
        PhoneNumberKind("UK")
