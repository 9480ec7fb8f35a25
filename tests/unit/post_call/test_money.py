"""Amounts of money."""

import pytest

from post_call.money import plain, said


@pytest.mark.parametrize(
    ("text", "as_one_number"),
    [
        ("5 dollars and 20 cents", "5.20 dollars"),
        ("5 pounds, 5 pence", "5.05 pounds"),
        ("12 euros 50 cents.", "12.50 euros."),
        ("100 kronor and 50 öre", "100.50 kronor"),
        ("€5,20", "5.20 "),
        ("CHF 1.250,50 in all", "1250.50  in all"),
        ("5,20 € was paid", "5.20  was paid"),
        ("5,20 euros", "5.20 "),
        ("$1,250.50", "$1,250.50"),
        ("$1,250", "$1,250"),
        ("5 dollars", "5 dollars"),
        ("lines 5,20 and 30", "lines 5,20 and 30"),
        ("order 5 and 20 cents", "order 5 and 20 cents"),
    ],
)
def test_amount_is_one_number(text: str, as_one_number: str) -> None:
    """Whatever its currency; what is no amount stays as it is."""
    assert plain(text) == as_one_number


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("total_cents", 9395, ["93.95"]),
        ("price_pence", 500, ["5.00"]),
        ("amount_minor", -1, ["-0.01"]),
        ("centers", 9395, []),
        ("total_cents", True, []),
        ("total_cents", "9395", []),
    ],
)
def test_hundredth_parts_in_data_are_said_as_whole_ones(
    name: str, value: object, words: list[str]
) -> None:
    """By the field's name."""
    assert list(said(name, value)) == words
