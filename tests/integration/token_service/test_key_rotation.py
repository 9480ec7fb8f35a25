"""The SFU's key is changed while callers call: two keys in the SFU, the services one by one."""

from pathlib import Path

import httpx2 as httpx
import pytest
from livekit import rtc

from call_record import keys, workers
from call_record.database import Database
from call_record.record import Record
from service_base.sfu import SfuKey
from tests.support.local_stack import LocalStack
from tests.support.token_service import browser, client
from token_service.app import build
from token_service.settings import TokenSettings
from voice_contract.tokens import VoiceToken

OLD, NEW = SfuKey("APIold", "o" * 40), SfuKey("APInew", "n" * 40)


async def a_token(settings: TokenSettings) -> VoiceToken:
    """Of a service with these settings, which is ready."""
    app = build(settings)
    async with client(app) as http, browser(app):
        ready = await http.get("/readyz")
        assert ready.status_code == 200, ready.text
        return VoiceToken.model_validate_json((await http.post("/api/voice-token")).content)


async def joins(token: VoiceToken) -> bool:
    """Whether the SFU takes it."""
    room = rtc.Room()
    try:
        await room.connect(token.rtc_url, token.token)
    except rtc.ConnectError:
        return False
    await room.disconnect()
    return True


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_keys_are_rotated_without_a_caller_who_is_refused(
    tmp_path: Path, database_url: str
) -> None:
    """As docs/operating.md says; only what the old key signed ends with it."""
    stack = LocalStack.on_free_ports(tmp_path)
    stack.run_dir.mkdir()
    record = Record(Database(database_url), keys.ensure(tmp_path / "journal-keys.yaml"))
    await workers.register(record, "worker", 9)
    await record.close()

    def sfu_takes(*known: SfuKey) -> None:
        if stack.process is not None:
            stack.process.kill()
            stack.process.wait()
        stack.keys_file.write_text("".join(f"{key.api_key}: {key.secret}\n" for key in known))
        stack.keys_file.chmod(0o600)
        stack.start("devstack.sfu")
        stack.wait_ready(stack.url("sfu"))

    def signs_with(key: SfuKey) -> TokenSettings:
        return TokenSettings(
            _env_file=None,
            token_open=True,
            sfu_url=stack.sfu_url,
            sfu_api_key=key.api_key,
            sfu_api_secret=key.secret,
            database_url=database_url,
            journal_keys_file=tmp_path / "journal-keys.yaml",
        )

    try:
        sfu_takes(OLD, NEW)
        before, after = await a_token(signs_with(OLD)), await a_token(signs_with(NEW))
        assert await joins(before) and await joins(after)
        late = await a_token(signs_with(OLD))
        sfu_takes(NEW)
        assert not await joins(late)
        assert await joins(await a_token(signs_with(NEW)))
        app = build(signs_with(OLD))
        async with client(app) as http:
            assert (await http.get("/readyz")).status_code == httpx.codes.SERVICE_UNAVAILABLE
    finally:
        if stack.process is not None:
            stack.process.kill()
            stack.process.wait()
