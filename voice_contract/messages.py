"""
Messages from the agent to the caller's page, on the topic `parley.message`.

What is said travels as LiveKit's transcription; these are for what is not speech.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from voice_contract.actions import ClientAction
from voice_contract.confirmations import Confirmations

NoticeCode = Literal["not-heard", "no-voice", "flood"]
EndReason = Literal["caller", "agent", "silence", "not-understood", "flood"]
NOTICE_MAX_CHARS = 2_000


class Notice(BaseModel):
    """
    Something that the caller should read, because it may not be heard.

    `not-heard`: speech could not be recognized. `no-voice`: the answer could not be spoken, `text`
    is the answer. `flood`: the page sends too much; if it goes on, the call ends.
    """

    model_config = ConfigDict(extra="forbid")

    type: Literal["notice"] = "notice"
    code: NoticeCode
    text: str = Field(max_length=NOTICE_MAX_CHARS)


class CallEnded(BaseModel):
    """The agent ends the call. The page leaves the room and shows why."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["call-ended"] = "call-ended"
    reason: EndReason
    """
    `caller`: hung up. `agent`: the conversation was finished. `silence`: nothing was said for too
    long. `not-understood`: the agent could not help. `flood`: the page sent far too much, again
    after a warning.
    """


AgentMessage = Annotated[
    Notice | CallEnded | Confirmations | ClientAction, Field(discriminator="type")
]
AGENT_MESSAGE: TypeAdapter[AgentMessage] = TypeAdapter(AgentMessage)
MESSAGE_MAX_BYTES = 65_536
TEXT_MAX_CHARS = 1_000
"""The longest text that a caller can write on `lk.chat`; what is longer is cut."""
