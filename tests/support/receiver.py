"""
An owner's endpoints and a model's server that behave as a test wants.

`python -m tests.support.receiver`: a process of its own, on sockets, sharing nothing with what it
receives from. Signatures are checked with the public `standardwebhooks` library. Each request to
`/hooks/NAME` takes the next word of NAME's script, the last one for all that follow:

`accept`; `slow` (accepts after 0.1 s); a status such as `500` (429 comes with `Retry-After: 1`);
`hang` (never answers); `cut` (closes without an answer); `lost` (accepts, then closes without an
answer). `GET /ledger` tells what came, `PUT /scripts` sets scripts, by name. Requests to
`/v1/chat/completions` take the script `model`: a word as above, or a JSON text that the model says.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

HANG_S = 3_600.0
SLOW_S = 0.1


@dataclass
class Received:
    """One request to an endpoint."""

    name: str
    message_id: str
    at_s: float
    did: str
    signed: bool
    body: Any

    def json(self) -> dict[str, Any]:
        """For the ledger."""
        return vars(self)


@dataclass
class Receiver:
    """Listens on 127.0.0.1. Args: secrets: of the endpoints, by name."""

    secrets: dict[str, str]
    scripts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(lambda: ["accept"]))
    ledger: list[Received] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    async def start(self, port: int = 0) -> tuple[asyncio.Server, str]:
        """Returns: the server, and its address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode().rstrip().split("\r\n")
                method, path, _ = request.split(" ")
                headers = {
                    name.lower(): value
                    for name, _, value in (line.partition(": ") for line in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if not await self._answer(writer, method, path, headers, body):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
    ) -> bool:
        """Returns: whether the connection stays."""
        if path == "/ledger":
            return await _respond(writer, 200, [one.json() for one in self.ledger])
        if path == "/scripts" and method == "PUT":
            self.scripts.update(json.loads(body))
            return await _respond(writer, 200, {})
        if path == "/v1/chat/completions":
            return await self._complete(writer, body)
        name = path.removeprefix("/hooks/")
        word = self._next(name)
        if word in ("accept", "slow", "lost"):
            try:
                parsed = Webhook(self.secrets[name]).verify(body, headers)
                did, status = word, 204
            except (WebhookVerificationError, ValueError):
                parsed, did, status = None, "forged", 401
        else:
            parsed, did, status = None, word, int(word) if word.isdigit() else 0
        signed = did != "forged"
        message_id = headers.get("webhook-id", "")
        self.ledger.append(Received(name, message_id, time.monotonic(), did, signed, parsed))
        return await _do(writer, did, status)

    async def _complete(self, writer: asyncio.StreamWriter, body: bytes) -> bool:
        self.prompts.append(json.loads(body)["messages"][-1]["content"])
        word = self._next("model")
        if word in ("hang", "cut") or word.isdigit():
            return await _do(writer, word, int(word) if word.isdigit() else 0)
        message = {"role": "assistant", "content": word}
        return await _respond(writer, 200, {"choices": [{"index": 0, "message": message}]})

    def _next(self, name: str) -> str:
        script = self.scripts[name] if name in self.scripts else ["accept"]
        return script.pop(0) if len(script) > 1 else script[0]


async def _do(writer: asyncio.StreamWriter, word: str, status: int) -> bool:
    if word == "hang":
        await asyncio.sleep(HANG_S)
    if word == "slow":
        await asyncio.sleep(SLOW_S)
    if word in ("cut", "lost", "hang"):
        writer.transport.abort()
        return False
    return await _respond(writer, status, {}, "Retry-After: 1\r\n" if status == 429 else "")


async def _respond(
    writer: asyncio.StreamWriter, status: int, answer: Any, headers: str = ""
) -> bool:
    body = b"" if status == 204 else json.dumps(answer).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    return True


async def main(port: int, secrets: dict[str, str]) -> None:
    """Serve until killed."""
    server, _ = await Receiver(secrets).start(port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), json.loads(sys.argv[2])))
