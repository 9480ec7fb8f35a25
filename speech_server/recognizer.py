"""
Speech to text: Moonshine tiny, English.

The model comes in the moonshine-voice wheel and is run here with ONNX Runtime. The wheel's own
library is not used, because it cuts audio with a voice activity detector whose state is shared by
all callers, drops short words, is slower, and does not tell how sure the model was, which is what
keeps invented words out.
"""

import math
import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speech_server.audio import Pcm
from speech_server.metrics import DISCARDED
from speech_server.onnx import package_folder, session

RATE_HZ = 16_000
TOKENS_PER_S = 6.5
"""Longest transcript for its audio. Source: Moonshine's own default."""

SHORTEST_FRAMES = RATE_HZ // 4
SILENCE_PEAK = 33
"""-60 dB of full scale: quieter sound counts as silence, without asking the model."""

UNSURE_BELOW = 0.45
"""
Least mean probability of a transcript's tokens. Noise gives 0.05 to 0.4. Below it, no transcript
of a spoken word was right (168 tries: 14 phrases, 2 speeds, telephone band, noise at 10 dB).
"""

REPEATED_ABOVE = 2.4
"""Size of a transcript over its compressed size. Source: Whisper's default."""

INVENTED = frozenset({"", "you", "mm", "thankyouforwatching"})
"""What the model confidently hears in hum, clicks and noise, besides music."""

MUSIC = "♪"
LAST_LATIN = "\u024f"
"""Letters beyond it are not English; the model hears them in the noise of a quiet room."""

_START, _END = 1, 2


@dataclass(frozen=True)
class Guess:
    """What the model heard."""

    text: str
    certainty: float
    """Mean probability of its tokens, 0 to 1."""


class Recognizer:
    """
    The loaded model. Thread-safe. Each transcription uses one processor: a second thread did not
    make one faster.
    """

    def __init__(self) -> None:
        folder = package_folder("moonshine_voice") / "assets" / "tiny-en"
        self._encoder = session(folder / "encoder_model.ort", threads=1)
        self._decoder = session(folder / "decoder_model_merged.ort", threads=1)
        self._tokens = _read_tokens((folder / "tokenizer.bin").read_bytes())
        self._outputs = [output.name for output in self._decoder.get_outputs()]
        self._past = {
            item.name: np.zeros((1, item.shape[1], 1, item.shape[3]), np.float32)
            for item in self._decoder.get_inputs()
            if item.name.startswith("past_key_values")
        }

    def transcribe(self, pcm: Pcm) -> str:
        """
        The words in *pcm* (16 kHz); empty when there are none.

        Raises: ValueError: no samples.
        """
        if np.abs(pcm.astype(np.int32)).max() < SILENCE_PEAK:
            return _discard("silence")
        guess = self.guess(pcm)
        if guess.certainty < UNSURE_BELOW:
            return _discard("unsure")
        letters = re.sub(r"\W", "", guess.text.lower())
        if letters in INVENTED or MUSIC in guess.text or max(letters) > LAST_LATIN:
            return _discard("invented")
        written = guess.text.encode()
        if len(written) > REPEATED_ABOVE * len(zlib.compress(written)):
            return _discard("repeated")
        return _as_written_now(guess.text)

    def guess(self, pcm: Pcm) -> Guess:
        """What the model hears in *pcm* (16 kHz), speech or not."""
        sound = pcm.astype(np.float32) / 32768
        sound = np.pad(sound, (0, max(0, SHORTEST_FRAMES - len(sound))))
        mask = np.ones((1, len(sound)), np.int64)
        encoded = self._encoder.run(
            None, {"input_values": sound[np.newaxis], "attention_mask": mask}
        )[0]
        feed = {"encoder_hidden_states": encoded, "encoder_attention_mask": mask, **self._past}
        wanted = self._outputs
        token, tokens, logarithms = _START, list[int](), list[float]()
        for step in range(math.ceil(len(sound) / RATE_HZ * TOKENS_PER_S)):
            feed["input_ids"] = np.array([[token]])
            feed["use_cache_branch"] = np.array([step > 0])
            scores, *states = self._decoder.run(wanted, feed)
            token, logarithm = _best(scores[0, -1])
            logarithms.append(logarithm)
            if token == _END:
                break
            tokens.append(token)
            feed |= {
                name.replace("present", "past_key_values"): state
                for name, state in zip(wanted[1:], states, strict=True)
            }
            # The encoder's output does not change after the first step.
            wanted = [name for name in wanted if ".encoder." not in name]
        written = b"".join(self._tokens[token] for token in tokens).decode(errors="ignore")
        return Guess(
            text=written.replace("▁", " ").strip(),
            certainty=math.exp(sum(logarithms) / len(logarithms)),
        )


def _read_tokens(file: bytes) -> list[bytes]:
    """
    The texts of the tokens, by number.

    Source: each token is its length and its bytes; a length above 127 takes two bytes, the lower
    seven bits first.
    """
    tokens, at = list[bytes](), 0
    while at < len(file):
        length = file[at]
        at += 1
        if length > 127:
            length += 128 * file[at] - 128
            at += 1
        tokens.append(file[at : at + length])
        at += length
    return tokens


def _as_written_now(text: str) -> str:
    """*text* without the hyphen of "to-day", which the model learned from old books."""
    return re.sub(r"\b(to)-(day|morrow|night)\b", r"\1\2", text, flags=re.IGNORECASE)


def _best(scores: NDArray[np.float32]) -> tuple[int, float]:
    """The likeliest token and the logarithm of its probability."""
    token = int(scores.argmax())
    return token, -math.log(float(np.exp(scores - scores[token]).sum()))


def _discard(reason: str) -> str:
    DISCARDED.labels(reason).inc()
    return ""
