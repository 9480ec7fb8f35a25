"""A wish is taken back, with or without a reason."""

import pytest

from agent_worker.reasoning.leaving import leaves, leaves_first


@pytest.mark.parametrize(
    "said",
    [
        *("never mind", "no, leave it as it is", "I'd rather keep it", "better not, thanks"),
        *("oh, that's the wrong one", "let's not", "I'll think about it", "scrap that"),
    ],
)
def test_wish_is_taken_back(said: str) -> None:
    assert leaves(said)


@pytest.mark.parametrize(
    "said",
    [
        "better not, my husband would be cross",
        "oh dear, no, I have read it wrong",
        "Never mind. I'll ring again next week.",
    ],
)
def test_reason_may_follow(said: str) -> None:
    assert leaves_first(said) and not leaves(said)


@pytest.mark.parametrize("said", ["no, blue", "no, ten", "clear room 7, no", "keep room 7 for me"])
def test_another_wish_is_no_reason(said: str) -> None:
    assert not leaves_first(said) and not leaves(said)
