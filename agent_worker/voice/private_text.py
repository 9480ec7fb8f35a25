"""Keeps what is said between agent and caller: the framework would show it to the whole room."""

from typing import Any

from livekit import rtc


def keep_text_private(participant: rtc.LocalParticipant, listener: str) -> None:
    """
    Send every text of *participant* to *listener* alone: transcripts, messages, whatever comes.

    The framework has no setting for it. Its older way to send transcripts, which knows no
    receivers, is closed.
    """
    stream_text = participant.stream_text

    async def to_listener(*arguments: Any, **options: Any) -> rtc.TextStreamWriter:
        options["destination_identities"] = [listener]
        return await stream_text(*arguments, **options)

    async def to_nobody(transcription: rtc.Transcription) -> None:
        return None

    participant.stream_text = to_listener  # type: ignore[method-assign]
    participant.publish_transcription = to_nobody  # type: ignore[method-assign]
