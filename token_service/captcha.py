"""Proof that a caller who is not signed in is a person, verified where the CAPTCHA comes from."""

import httpx2 as httpx
from pydantic import SecretStr
from starlette.requests import Request

from token_service.callers import Caller
from token_service.errors import CaptchaRequired, CaptchaUnavailable

CAPTCHA_HEADER = "Parley-Captcha"
PROOF_MAX_CHARS = 4_096
ANSWER_WITHIN_S = 5.0


class Captcha:
    """
    Asks a `siteverify` address, the same at reCAPTCHA, hCaptcha and Turnstile.

    Args: url: empty: no proof is asked for.
    """

    def __init__(self, url: str, secret: SecretStr, http: httpx.AsyncClient | None = None) -> None:
        self._url = url
        self._secret = secret
        self._http = http or httpx.AsyncClient(timeout=ANSWER_WITHIN_S)

    async def check(self, request: Request, caller: Caller) -> None:
        """
        Return if *caller* may ask for a new call.

        Raises: CaptchaRequired: there is no proof, or it is not accepted. CaptchaUnavailable: it
            cannot be verified now.
        """
        if not self._url or not caller.is_anonymous:
            return
        proof = request.headers.get(CAPTCHA_HEADER, "")
        if not proof or len(proof) > PROOF_MAX_CHARS:
            raise CaptchaRequired
        form = {"secret": self._secret.get_secret_value(), "response": proof}
        if request.client is not None:
            form["remoteip"] = request.client.host
        try:
            answer = await self._http.post(self._url, data=form)
            answer.raise_for_status()
            accepted = answer.json()["success"] is True
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise CaptchaUnavailable from error
        if not accepted:
            raise CaptchaRequired

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()
