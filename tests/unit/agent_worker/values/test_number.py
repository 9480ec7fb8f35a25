"""Numbers that name something."""

from datetime import UTC, datetime

import pytest

from agent_worker.values import Found, IdentifierKind, NumberKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
ROOM = NumberKind(maximum=99_999, after=("room", "order"))


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("any idea when number seven is going to turn up", [7]),
        ("I was expecting order seven yesterday and there's still nothing here", [7]),
        ("so I placed an order, it's number twelve, could you see where that is", [12]),
        ("has nine left the warehouse", [9]),
        ("Where is order #7?", [7]),
        ("where is order one oh four", [104]),
        ("it's about order one two, is it late", [12]),
        ("order three please", [3]),
        ("order ten's still not here", [10]),
        ("tell me when eleven comes", [11]),
        ("I've changed my mind, I won't be needing order ten", [10]),
        ("could I have five dollars back on order two", [2]),
        ("what about orders seven and nine", [7, 9]),
        ("what about order seven and order nine", [7, 9]),
        ("rooms 3, 4 and 5", [3, 4, 5]),
        ("hang on, I meant nine", [9]),
        ("where is room for", [4]),
        ("status of 71 pls", [71]),
        ("where is 71 guys", [71]),
        ("tell me where room too is", [2]),
        ("is room to be had", []),
        ("room for please", [4]),
        ("is there a room for two people", []),
        ("room double four", [44]),
        ("room triple oh seven", [7]),
        ("room one, oh, four", [104]),
        ("room one oh, four", [104]),
        ("Where is room one? Oh, four.", [104]),
        ("Where is room one? 04.", [104]),
        ("Where is room one? Oh, for,", [104]),
        ("Where is room one? Oh!", [1]),
        ("room one oh for", [104]),
        ("room twelve oh four", [1204]),
        ("room a hundred and four", [104]),
        ("room two thousand and five", [2005]),
        ("room twenty-one", [21]),
        ("room no. 17", [17]),
        ("number 1,234", [1234]),
        ("oh, room seven", [7]),
        ("room 7 one more time", [7]),
        ("no, the other one", []),
        ("this one, please", []),
        ("the blue one", []),
        ("I have one question for the two adults", []),
        ("it's one", [1]),
        ("I think it's eighty... eighty eight", [88]),
        ("I have two rooms, four one nine and four two oh", [419, 420]),
        ("12/4 at 12:30", []),
        ("in three days, at 3pm, for $5 or 5 dollars", []),
        ("December 4", []),
        ("room 100000", []),
        ("seven dollars on order two", [2]),
        ("thanks a million", []),
        ("room nine point five", []),
        ("room minus nine", []),
        ("fifteen dollars fifty", []),
        ("fifteen dollars and fifty", []),
        ("no, not order nine", []),
        ("not order nine but order ten", [10]),
        ("everything except order nine", []),
        ("all but nine", []),
        ("instead of room nine room ten", [10]),
        ("the room six teen", [16]),
        ("order thir teen", [13]),
        ("my order is not here, it's nine", [9]),
    ],
)
def test_number_is_found_in_what_was_said(said: str, numbers: list[int]) -> None:
    """Its words and digits, not those of amounts, days, times and pronouns."""
    found = ROOM.find(said, NOW)
    assert [one.value for one in found] == numbers
    assert not any(one.question for one in found)


def test_number_after_its_noun_comes_first() -> None:
    """The other numbers of a sentence are less likely; all of "one oh four" is one reading."""
    found = ROOM.find("refund twelve fifty on order one oh four", NOW)
    assert [one.value for one in found] == [104, 1250]
    assert found[0] == Found(29, 40, 104)
    assert ROOM.answer("it is 3, I mean room 4", NOW) == Found(21, 22, 4)


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("seven, seven", "Do you mean 7, or 77?"),
        ("room seven, seven", "Do you mean 7, or 77?"),
        ("seven or nine", "Do you mean 7, or 9?"),
    ],
)
def test_number_that_can_be_another_is_asked(said: str, question: str) -> None:
    """A number said twice may be said for emphasis."""
    found = ROOM.answer(said, NOW)
    assert found is not None
    assert (found.value, found.question) == (7, question)


def test_number_said_twice_is_no_question_where_only_one_reading_fits() -> None:
    """Of seven and seventy-seven the one that is in range."""
    answer = NumberKind(maximum=50).answer("seven, seven", NOW)
    assert answer == Found(0, 5 + 7, 7)


@pytest.mark.parametrize(
    ("value", "said", "corrected"),
    [(7, "no, nine", 9), (7, "no, it's room one two", 12), (7, "no", None), (7, "nine", None)],
)
def test_number_correction_changes_it(value: int, said: str, corrected: int | None) -> None:
    """Only what says that it corrects."""
    assert ROOM.correct(value, said, NOW) == corrected


def test_number_below_its_minimum_goes_on_in_another_breath() -> None:
    """A number of five digits may come in two parts."""
    kind = NumberKind(minimum=10_000, maximum=99_999)
    part = kind.answer("one oh four", NOW)
    assert part is not None
    assert (part.value, part.question) == (104, "104, and then?")
    assert kind.may_go_on(104)
    assert kind.go_on(104, "double two", NOW) == 10_422
    assert kind.go_on(104, "one two three four", NOW) is None
    assert not kind.may_go_on(10_422)
    assert kind.go_on(10_422, "three", NOW) is None


@pytest.mark.parametrize("written", ["7", 7.0, True, 0, 100_000, None])
def test_number_canonical_form_is_an_integer_in_range(written: object) -> None:
    """Nothing is coerced."""
    with pytest.raises(ValueError, match=r"whole number|out of range"):
        ROOM.from_json(written)  # type: ignore[arg-type]


ID = IdentifierKind()
SIX = IdentifierKind(pattern=r"[A-Z]{2}\d{4}", length=6)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("B 7 2", "B72"),
        ("it's b72", "B72"),
        ("B as in boat seventy two", "B72"),
        ("bravo seven two", "B72"),
        ("the code is X 1 0 4 please", "X104"),
        ("D E double four", "DE44"),
        ("I have two", None),
        ("at 3 pm", None),
    ],
)
def test_identifier_is_found_in_what_was_said(said: str, value: str | None) -> None:
    """Letters and digits, spelled or written."""
    assert [one.value for one in ID.find(said, NOW)] == ([value] if value else [])


def test_identifier_in_two_breaths_is_put_together_and_corrected() -> None:
    """Until it is as long as such ids are."""
    part = SIX.answer("A B one two", NOW)
    assert part is not None
    assert (part.value, part.question) == ("AB12", "A, B, 1, 2, and then?")
    assert SIX.may_go_on("AB12")
    whole = SIX.go_on("AB12", "three four", NOW)
    assert whole == "AB1234"
    assert not SIX.may_go_on(whole)
    assert SIX.correct(whole, "no, D as in dog", NOW) == "AD1234"
    assert SIX.correct(whole, "the last digit is five", NOW) == "AB1235"
    with pytest.raises(ValueError, match="id"):
        SIX.from_json("AB12")
