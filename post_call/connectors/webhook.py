"""Webhooks to the owner's endpoints, signed as Standard Webhooks says (standardwebhooks.com)."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx
from standardwebhooks import Webhook

from post_call.connectors import Report
from post_call.http import send

TYPE = "call.followed_up"


class WebhookEndpoint:
    """An `Endpoint`. Args: secret: `whsec_` and base64."""

    def __init__(self, http: httpx.AsyncClient, name: str, url: str, secret: str) -> None:
        self._http = http
        self._url = url
        self._signer = Webhook(secret)
        self.name = name

    async def deliver(self, report: Report, key: str) -> None:
        """The key is the message's id: the same however often it is sent."""
        body = json.dumps(payload(report), ensure_ascii=False, separators=(",", ":"))
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(key, now, body),
        }
        await send(self._http, "POST", self._url, content=body.encode(), headers=headers)


def payload(report: Report) -> dict[str, Any]:
    """What is sent: see docs/post-call.md."""
    data = asdict(report) | {
        "started_at": report.started_at.isoformat(),
        "ended_at": report.ended_at.isoformat(),
        "summary": report.summary.model_dump(),
        "action_items": [item.model_dump() for item in report.action_items],
    }
    names = ("journal_seq", "journal_mac", "journal_key_id")
    journal = dict(zip(("last_seq", "last_mac", "key_id"), map(data.pop, names), strict=True))
    return {"type": TYPE, "timestamp": data["ended_at"], "data": {**data, "journal": journal}}
