"""`make ask SAY="..."`: ask the running agent aloud, and print what it answers."""

import argparse
import asyncio
import io
import os
import sys
import time
import wave
from pathlib import Path

import httpx2 as httpx
import numpy as np
from livekit import rtc

from devstack import checks, services
from devstack.caller import RATE_HZ, Caller, NoAnswer, Pcm, joined

GREETING_TIMEOUT_S = 20
ANSWER_TIMEOUT_S = 30


class AskError(Exception):
    """The agent cannot be asked. The message says why and what to do."""


async def speak(speech_url: str, text: str, speed: float = 1.0) -> Pcm:
    """*text* in the local voice; *speed* 0.5 to 2."""
    async with httpx.AsyncClient(base_url=speech_url, timeout=30) as http:
        request = {
            "model": "piper",
            "voice": "joe",
            "input": text,
            "response_format": "pcm",
            "speed": speed,
        }
        response = await http.post("/audio/speech", json=request)
        response.raise_for_status()
        return np.frombuffer(response.content, np.int16)


async def recognize(speech_url: str, pcm: Pcm) -> str:
    """What the local recognizer hears in *pcm*."""
    async with httpx.AsyncClient(base_url=speech_url, timeout=30) as http:
        files = {"file": ("answer.wav", to_wav(pcm), "audio/wav")}
        response = await http.post("/audio/transcriptions", files=files, data={"model": "tiny"})
        response.raise_for_status()
        text: str = response.json()["text"]
        return text


def to_wav(pcm: Pcm) -> bytes:
    """*pcm* as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()


def from_wav(path: Path) -> Pcm:
    """
    The sound of a WAV file, converted to mono and 24 kHz.

    Raises: AskError: it is not a 16-bit PCM WAV file.
    """
    try:
        with wave.open(str(path)) as file:
            if file.getsampwidth() != 2:
                raise AskError(f"{path} is not 16-bit PCM.")
            rate_hz, channels = file.getframerate(), file.getnchannels()
            pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    except (OSError, EOFError, wave.Error) as error:
        raise AskError(f"{path} cannot be read as a WAV file: {error}.") from error
    mono: Pcm = pcm.reshape(-1, channels).mean(axis=1).astype(np.int16)
    if rate_hz == RATE_HZ:
        return mono
    resampler = rtc.AudioResampler(rate_hz, RATE_HZ)
    frames = resampler.push(rtc.AudioFrame(mono.tobytes(), rate_hz, 1, len(mono)))
    frames += resampler.flush()
    return np.concatenate([np.frombuffer(bytes(frame.data), np.int16) for frame in frames])


async def ask(page_url: str, speech_url: str, question: Pcm) -> str:
    """
    One call with one question, as text to print.

    Raises: NoAnswer: the agent did not greet or answer in time.
    """
    async with joined(page_url) as caller:
        joined_at = time.monotonic()
        greeted_at = await caller.answer_after(joined_at, GREETING_TIMEOUT_S)
        await caller.agent_line()
        greeting = len(caller.lines)
        asked_at = await caller.say(question)
        answered_at = await caller.answer_after(asked_at, ANSWER_TIMEOUT_S)
        answer = await caller.agent_line(after=greeting)
        heard = await recognize(speech_url, caller.ear.since(asked_at)[: 29 * RATE_HZ])
        return "\n".join(
            (
                f"caller (as understood)  {_understood(caller)}",
                f"agent (transcript)      {answer}",
                f"agent (its sound)       {heard}",
                f"greeting after          {(greeted_at - joined_at) * 1000:.0f} ms from joining",
                f"answer after            {(answered_at - asked_at) * 1000:.0f} ms"
                " from the end of the question to the first sound",
            )
        )


def _understood(caller: Caller) -> str:
    return " ".join(line.text for line in caller.lines if line.speaker == "caller")


async def _main(say: str, wav: str) -> str:
    loaded, problems = checks.settings()
    if problems:
        raise AskError("\n".join(problems))
    speech_url = services.SPEECH.url(loaded["speech-server"]) + "/v1"
    question = from_wav(Path(wav)) if wav else await speak(speech_url, say)
    return await ask(services.TOKEN.url(loaded["token-service"]), speech_url, question)


def main() -> int:
    """Returns: 0 when the agent answered, 1 when it did not, 2 when it could not be asked."""
    parser = argparse.ArgumentParser(prog="make ask", description=__doc__)
    parser.add_argument("--say", default="", help="the question, spoken in the local voice")
    parser.add_argument("--wav", default="", help="a WAV file with the question")
    arguments = parser.parse_args()
    try:
        if not arguments.say and not arguments.wav:
            raise AskError('Say what to ask: make ask SAY="where is order seven"')
        print(asyncio.run(_main(arguments.say, arguments.wav)))
    except NoAnswer as error:
        print(f"The agent gave {error}. See the logs of the agent worker.", file=sys.stderr)
        return 1
    except httpx.ConnectError:
        print("The stack is not running: start it with `make run`.", file=sys.stderr)
        return 2
    except (AskError, httpx.HTTPError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The media library's own threads sometimes abort while the interpreter is taken down.
    os._exit(code)
