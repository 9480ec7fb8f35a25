"""The real livekit-server with `sfu/livekit.yaml`."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx
import numpy as np
import pytest
import yaml
from livekit import api, rtc

from devstack import livekit_server
from devstack.sfu import BASE
from tests.support.local_stack import LocalStack

RATE_HZ = 48_000
TONE_HZ = 440


@asynccontextmanager
async def server_api(sfu: LocalStack) -> AsyncIterator[api.LiveKitAPI]:
    """The SFU's API, with its key."""
    client = api.LiveKitAPI(sfu.url("sfu"), sfu.key.api_key, sfu.key.secret)
    try:
        yield client
    finally:
        await client.aclose()


def token(sfu: LocalStack, room: str, identity: str) -> str:
    """A caller's token."""
    return (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(identity)
        .with_ttl(timedelta(seconds=30))
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )


@asynccontextmanager
async def joined(sfu: LocalStack, room: str, identity: str) -> AsyncIterator[rtc.Room]:
    """A caller in a room."""
    caller = rtc.Room()
    await caller.connect(sfu.sfu_url, token(sfu, room, identity))
    try:
        yield caller
    finally:
        await caller.disconnect()


async def tone_hz(track: rtc.Track) -> float:
    """The strongest frequency in the first half second of sound on *track*."""
    heard: list[np.ndarray] = []
    stream = rtc.AudioStream(track, sample_rate=RATE_HZ, num_channels=1)
    async for event in stream:
        frame = np.frombuffer(event.frame.data, dtype=np.int16)
        if heard or np.abs(frame).max() > 1000:
            heard.append(frame)
        if sum(map(len, heard)) >= RATE_HZ // 2:
            break
    await stream.aclose()
    sound = np.concatenate(heard).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * RATE_HZ / len(sound)


async def test_sfu_carries_sound_between_two_participants_over_loopback(sfu: LocalStack) -> None:
    """Media flows on the one UDP port that listens on 127.0.0.1 alone."""
    room = str(uuid4())
    track: asyncio.Future[rtc.Track] = asyncio.get_running_loop().create_future()
    async with joined(sfu, room, "speaker") as speaker, joined(sfu, room, "listener") as listener:
        listener.on("track_subscribed", lambda found, *_: track.set_result(found))
        source = rtc.AudioSource(RATE_HZ, 1)
        await speaker.local_participant.publish_track(
            rtc.LocalAudioTrack.create_audio_track("tone", source)
        )

        async def speak() -> None:
            phase = 2 * np.pi * TONE_HZ * np.arange(RATE_HZ // 100) / RATE_HZ
            for frame in range(1000):
                offset = 2 * np.pi * TONE_HZ * frame / 100
                samples = (8000 * np.sin(phase + offset)).astype(np.int16)
                await source.capture_frame(
                    rtc.AudioFrame(samples.tobytes(), RATE_HZ, 1, len(samples))
                )

        speaking = asyncio.create_task(speak())
        try:
            async with asyncio.timeout(15):
                assert abs(await tone_hz(await track) - TONE_HZ) < 10
        finally:
            speaking.cancel()


async def test_sfu_room_has_the_limits_of_our_settings(sfu: LocalStack) -> None:
    """`sfu/livekit.yaml` is what the server goes by: times in seconds, sound only."""
    async with server_api(sfu) as client:
        room = await client.room.create_room(api.CreateRoomRequest(name=str(uuid4())))
    settings = yaml.safe_load(BASE.read_text())["room"]
    assert room.empty_timeout == settings["empty_timeout"] == 120
    assert room.departure_timeout == settings["departure_timeout"] == 45
    assert room.max_participants == settings["max_participants"] == 2
    assert [codec.mime for codec in room.enabled_codecs] == ["audio/opus", "audio/red"]


async def test_sfu_third_caller_is_refused(sfu: LocalStack) -> None:
    """A stolen token does not make a conference of a call."""
    room = str(uuid4())
    async with joined(sfu, room, "first"), joined(sfu, room, "second"):
        third = rtc.Room()
        with pytest.raises(rtc.ConnectError):
            await third.connect(sfu.sfu_url, token(sfu, room, "third"))


async def test_sfu_does_not_know_the_published_development_key(sfu: LocalStack) -> None:
    """`--dev` would accept it."""
    client = api.LiveKitAPI(sfu.url("sfu"), "devkey", "secret" * 6)
    try:
        with pytest.raises(api.TwirpError) as raised:
            await client.room.list_rooms(api.ListRoomsRequest())
    finally:
        await client.aclose()
    assert raised.value.status == 401


@pytest.mark.parametrize("path", ["/debug/pprof/", "/debug/rooms", "/debug/goroutine"])
async def test_sfu_shows_no_debug_pages(sfu: LocalStack, path: str) -> None:
    """`--dev` would."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(sfu.url("sfu") + path)
    assert answer.status_code == 404


def test_sfu_secret_is_in_no_log_and_no_command_line(sfu: LocalStack) -> None:
    """Everybody on the machine can read command lines."""
    assert sfu.process is not None
    command_line = Path(f"/proc/{sfu.process.pid}/cmdline").read_text()
    assert "--key-file" in command_line
    assert sfu.key.secret not in command_line
    assert sfu.key.secret not in sfu.output
    assert sfu.key.secret not in (sfu.run_dir / "livekit.yaml").read_text()


def test_sfu_settings_hold_no_secret_and_no_dispatch_below_full_load() -> None:
    """Keys come from a file; with a target load of 1 or less the SFU drops calls in silence."""
    settings = yaml.safe_load(BASE.read_text())
    assert "keys" not in settings
    assert settings["agents"]["target_load"] > 1


def test_sfu_settings_keys_are_all_read_by_the_server(sfu: LocalStack, tmp_path: Path) -> None:
    """The server refuses a key it does not know, so one that starts has read them all."""
    program = livekit_server.find(None) or livekit_server.find(
        Path(sfu.variables["PARLEY_SFU_BINARY"])
    )
    assert program
    settings = yaml.safe_load(BASE.read_text())
    settings["room"]["empty_timeuot"] = 1
    file = tmp_path / "livekit.yaml"
    file.write_text(yaml.safe_dump(settings))
    answer = subprocess.run(
        [program, "--config", file, "--key-file", sfu.keys_file],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "field empty_timeuot not found" in answer.stdout


async def test_sfu_killed_and_back_keeps_the_callers(tmp_path: Path) -> None:
    """After a crash of the SFU the participants make their room again and meet in it."""
    sfu = LocalStack.on_free_ports(tmp_path)
    sfu.start("devstack.sfu")
    sfu.wait_ready(sfu.url("sfu"))
    try:
        room = str(uuid4())
        async with joined(sfu, room, "one") as one, joined(sfu, room, "two"):
            back = asyncio.Event()
            one.on("participant_connected", lambda _: back.set())
            one.on("reconnected", lambda: back.set() if one.remote_participants else None)
            sfu.stop([signal.SIGKILL])
            await asyncio.sleep(1)
            sfu.start("devstack.sfu")
            async with asyncio.timeout(30):
                await back.wait()
            assert list(one.remote_participants) == ["two"]
    finally:
        sfu.stop([signal.SIGKILL])
