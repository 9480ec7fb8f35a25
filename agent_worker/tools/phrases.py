"""What the agent says for the gate."""

from pydantic.dataclasses import dataclass

from agent_worker.mistakes import STRICT, check_braces


@dataclass(frozen=True, config=STRICT)
class GatePhrases:
    """The gate's own phrases; everything else about a tool is said in its author's words."""

    failed: str = "That did not work just now. Please try again in a moment."
    too_slow: str = "That is taking too long. Please try again in a moment."
    away: str = "That system does not answer right now. Please try again in a moment."
    unknown: str = (
        "I could not confirm whether that was done. Please check before you try it again."
    )
    in_doubt: str = "I could not confirm whether that was done. I keep trying, and I will tell you."
    not_again: str = (
        "I don't know whether that was done, so I can't do it again in this call. "
        "Please check it first."
    )
    still_in_doubt: str = (
        "I am still trying to find out whether that was done the first time. "
        "Until I know, I won't do it again."
    )
    done: str = "That is done."
    """When a tool did its work and returned no answer that can be spoken."""
    went_through: str = "The earlier one went through. {words}"
    once_more: str = "Shall I do it once more?"
    not_now: str = "I can't do that right now."
    not_offered: str = "I can't do that."
    malformed: str = "Something got lost there. Please say it again."
    corrected: str = "I first heard something else, so I did nothing. What shall I do?"
    went_on: str = "You went on speaking, so I did nothing yet. What shall I do?"
    too_often: str = "I can't do that any more in this call. A colleague can help you further."
    too_long: str = "That is too long for me to ask you about it."
    busy_asking: str = "First I need your answer: {question}"
    too_many_questions: str = "There are too many open questions. Please answer those first."
    one_moment: str = "One moment, please."
    all_arguments: str = "{title} In full: {arguments}. Yes or no?"
    """For a caller without cards; `{arguments}` are those that the question does not mention."""
    approved: str = "All right."
    declined: str = "All right, I won't do that."
    declined_offer: str = "All right. What else can I do for you?"
    """After a no to what the agent offered by itself."""
    replaced: str = "That is no longer asked: something else took its place."
    on_screen: str = "Please answer on your screen."
    """To a spoken or typed yes, where only a click counts."""
    screen_only: str = "That can only be confirmed on the screen, and I can't show you anything."
    expired: str = "I got no answer, so I did not do it."
    ended: str = "The call ended before you said yes, so it was not done."
    several: str = "There is more than one open question. Please answer on your screen."
    late: str = "About what I could not confirm: {words}"
    again: str = "Coming back to what you asked for: {words}"

    def __post_init__(self) -> None:
        check_braces(self)
