"""Callers who must show that they are people."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from starlette.requests import Request

from token_service.callers import Caller
from token_service.captcha import CAPTCHA_HEADER, PROOF_MAX_CHARS, Captcha
from token_service.errors import CaptchaRequired, CaptchaUnavailable

ANONYMOUS = Caller("caller-1", secret="s" * 43)
URL = "https://captcha.example/siteverify"


def request(proof: str = "") -> Request:
    headers = [(CAPTCHA_HEADER.lower().encode(), proof.encode())] if proof else []
    return Request({"type": "http", "client": ("192.0.2.1", 1), "headers": headers})


def captcha(answer: Callable[[httpx.Request], httpx.Response], url: str = URL) -> Captcha:
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Captcha(url, SecretStr("the secret"), http)


def says(body: Any, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=body)


async def test_proof_is_verified_with_the_secret_and_the_address() -> None:
    """As reCAPTCHA, hCaptcha and Turnstile take it."""
    asked: list[dict[str, list[str]]] = []

    def answer(sent: httpx.Request) -> httpx.Response:
        asked.append(parse_qs(sent.content.decode()))
        return httpx.Response(200, json={"success": True})

    await captcha(answer).check(request("proof"), ANONYMOUS)
    assert asked == [{"secret": ["the secret"], "response": ["proof"], "remoteip": ["192.0.2.1"]}]


@pytest.mark.parametrize("proof", ["", "x" * (PROOF_MAX_CHARS + 1)])
async def test_nothing_is_asked_about_a_proof_that_cannot_be_one(proof: str) -> None:
    """A stranger makes us send nothing."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    with pytest.raises(CaptchaRequired):
        await captcha(answer).check(request(proof), ANONYMOUS)


async def test_proof_that_is_not_accepted_lets_nobody_in() -> None:
    """Used before, or made up."""
    with pytest.raises(CaptchaRequired):
        await captcha(says({"success": False})).check(request("proof"), ANONYMOUS)


@pytest.mark.parametrize("answer", [says([]), says({}), says("?"), says({}, 500)])
async def test_answer_that_is_none_lets_nobody_in_and_is_told_apart(answer: Any) -> None:
    """It is not the caller's fault."""
    with pytest.raises(CaptchaUnavailable):
        await captcha(answer).check(request("proof"), ANONYMOUS)


async def test_who_is_signed_in_and_a_service_without_a_captcha_need_none() -> None:
    """Nothing is asked."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    await captcha(answer).check(request(), Caller("sam", "shop"))
    await captcha(answer, "").check(request(), ANONYMOUS)
