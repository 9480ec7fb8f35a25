"""
A caller in a process of its own, which tests stop, kill and cut off: `python -m tests.chaos.phone`.

Reads a `VoiceToken` from the first line of stdin, then what to type, a line each. Prints what it
hears and sees, a JSON object a line; times are on the machine's monotonic clock.
"""

import asyncio
import json
import sys

from livekit import rtc

from devstack.caller import SOUND_RMS, Caller, rms
from voice_contract.tokens import VoiceToken

BIN_S = 0.1


def tell(event: str, **fields: object) -> None:
    """Print an event."""
    print(json.dumps({"event": event, **fields}), flush=True)


async def main() -> None:
    """Be in the call until it ends."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    token = VoiceToken.model_validate_json(await stdin.readline())
    async with Caller(rtc.Room()) as caller:
        room = caller.room
        room.on("reconnecting", lambda: tell("reconnecting"))
        room.on("reconnected", lambda: tell("reconnected"))
        room.on("room_metadata_changed", lambda _, new: tell("state", metadata=new))
        await caller.connect(token)
        tell("joined", call_id=room.name, metadata=room.metadata)
        reporting = asyncio.create_task(report(caller))
        typing = asyncio.create_task(type_lines(caller, stdin))
        await caller.left.wait()
        tell("left")
        reporting.cancel()
        typing.cancel()


async def report(caller: Caller) -> None:
    """Tell of each tenth of a second in which an agent sounds, and of each line."""
    told: dict[str, int] = {}
    lines = 0
    while True:
        for name, ear in caller.voices.items():
            for at, pcm in ear.frames[told.get(name, 0) :]:
                if rms(pcm) > SOUND_RMS:
                    tell("sound", agent=name, at=at)
            told[name] = len(ear.frames)
        for line in caller.lines[lines:]:
            tell("line", speaker=line.speaker, text=line.text)
        lines = len(caller.lines)
        await asyncio.sleep(0.02)


async def type_lines(caller: Caller, stdin: asyncio.StreamReader) -> None:
    """Type what comes in; hang up at its end."""
    while line := await stdin.readline():
        await caller.send_text(line.decode().strip())


if __name__ == "__main__":
    asyncio.run(main())
