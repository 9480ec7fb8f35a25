"""How long the agent waits for the caller before it does something: one object for all of it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from agent_worker.mistakes import STRICT

Seconds = Annotated[float, Field(ge=0.05, le=10)]
Minutes = Annotated[float, Field(ge=2, le=1800)]


@dataclass(frozen=True, config=STRICT)
class Waits:
    """
    In seconds. An agent's author sets them by `AgentDefinition.waits`, who runs it by
    `PARLEY_WAITS`, which goes first.
    """

    pause_s: Seconds = 0.15
    """Silence after which the caller counts as not speaking."""
    complete_s: Seconds = 0.25
    """Silence after a sentence that is complete, until the agent answers."""
    unknown_s: Seconds = 0.3
    """Further silence, from the transcript on, after a sentence that no template knows."""
    may_go_on_s: Seconds = 1.3
    """Silence after a sentence that may go on: a number, "and", a name that is being spelled."""
    interruption_s: Seconds = 0.3
    """How long the caller speaks over the agent until it pauses."""
    resume_s: Seconds = 0.6
    """Silence without words after which a paused agent goes on."""
    unheard_s: Seconds = 2.5
    """How long after speech its words may come; without any it was not heard."""
    noise_s: Annotated[float, Field(ge=0, le=10)] = 0.45
    """Shorter sounds without words, such as a cough, are no speech that was not heard."""
    echo_s: Annotated[float, Field(ge=0, le=10)] = 1.0
    """From the agent's first sound, in which nothing interrupts it: echo cancellers learn."""
    moment_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0
    """How long a model may take to begin until the agent says that it needs a moment."""
    silence_s: Minutes = 12.0
    """Silence after which the agent asks whether somebody is there."""
    patience_s: Minutes = 180.0
    """
    The same for who is muted, types, reads a question on the screen, or asked the agent to wait.
    Then it says once that it waits; after as long again, silence counts.
    """

    def with_settings(self, settings: Mapping[str, float]) -> "Waits":
        """
        These, with those of *settings* in their place.

        Raises: pydantic.ValidationError: a name is unknown or a time is out of bounds.
        """
        return Waits(**{**asdict(self), **settings})
