"""How long the agent waits: the author's times, and those of whoever runs it."""

import pytest
from pydantic import ValidationError

from agent_worker.waits import Waits


def test_settings_go_before_the_author() -> None:
    """And leave the rest as it is."""
    waits = Waits(silence_s=20, may_go_on_s=2).with_settings({"silence_s": 30})
    assert (waits.silence_s, waits.may_go_on_s) == (30, 2)


@pytest.mark.parametrize("settings", [{"silence": 30}, {"silence_s": -1}, {"resume_s": 600}])
def test_unknown_names_and_impossible_times_are_refused(settings: dict[str, float]) -> None:
    """A wait of minutes before the agent goes on is a mistake."""
    with pytest.raises(ValidationError):
        Waits().with_settings(settings)
