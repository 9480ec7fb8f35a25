"""Which models are asked, as all calls of a worker know it."""

from pathlib import Path

import pytest

from agent_worker.model.health import TRY_AGAIN_S, Health


class Clock:
    """That the test sets."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("shared", [True, False])
def test_model_that_failed_is_left_alone_and_then_tried_by_one(
    clock: Clock, tmp_path: Path, shared: bool
) -> None:
    folder = tmp_path if shared else None
    mine = Health(folder, clock)
    others = Health(folder, clock) if shared else mine
    assert (mine.state("small"), others.state("small")) == ("up", "up")
    mine.failed("small")
    assert (mine.state("small"), others.state("small")) == ("down", "down")
    assert others.state("large") == "up"
    clock.now_s += TRY_AGAIN_S + 1
    assert [others.state("small"), mine.state("small")] == ["probe", "down"]
    mine.worked("small")
    assert (mine.state("small"), others.state("small")) == ("up", "up")


def test_folder_that_is_gone_is_no_trouble(clock: Clock, tmp_path: Path) -> None:
    """The worker has ended; its last calls go on."""
    health = Health(tmp_path / "gone", clock)
    health.failed("small")
    assert health.state("small") == "up"
    health.worked("small")
