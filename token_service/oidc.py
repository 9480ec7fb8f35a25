"""Callers who are signed in with an OpenID Connect issuer, identified by a JWT that it signed."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import jwt
import structlog
from jwt import PyJWK, PyJWKClient, PyJWTError
from prometheus_client import Counter

from token_service.callers import Caller, proven
from token_service.errors import SignInRequired, SignInUnavailable

log = structlog.get_logger()

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
"""Asymmetric only: whoever can check a token must not be able to make one."""
FETCH_TIMEOUT_S = 3.0
FRESH_S = 300.0
"""Keys older than this are fetched again, and used meanwhile."""
STALE_S = 86_400.0
"""How long keys are used while the issuer cannot be reached."""
ASK_EVERY_S = 10.0
"""Shortest time between two fetches, whatever key ids a request names."""

JWKS_ERRORS = Counter(
    "parley_token_jwks_errors_total", "Times that the issuer's keys could not be fetched"
)


class KeySet:
    """The issuer's keys, fetched in a thread and kept while the issuer is unreachable."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_TIMEOUT_S)
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_s = -STALE_S
        self._asked_s = -STALE_S
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, key_id: str) -> PyJWK:
        """
        The key with that id. A known key is returned without asking the issuer.

        Raises: SignInRequired: the issuer has no such key. SignInUnavailable: it cannot be reached.
        """
        age_s = self._clock() - self._fetched_s
        if key_id in self._keys and age_s < STALE_S:
            if age_s > FRESH_S:
                self._ask()
            return self._keys[key_id]
        fetching = self._ask()
        if fetching is not None:
            await asyncio.shield(fetching)
        if key_id in self._keys and self._clock() - self._fetched_s < STALE_S:
            return self._keys[key_id]
        raise SignInUnavailable if self._failed else SignInRequired

    def _ask(self) -> "asyncio.Task[None] | None":
        """Start to fetch the keys, unless that was just tried. Returns: the running fetch."""
        if self._fetching is None and self._clock() - self._asked_s >= ASK_EVERY_S:
            self._asked_s = self._clock()
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            found = await asyncio.to_thread(self._client.get_signing_keys)
        except (PyJWTError, ValueError, OSError) as error:
            self._failed = True
            JWKS_ERRORS.inc()
            log.warning("jwks.failed", reason=str(error))
        else:
            self._failed = False
            self._fetched_s = self._clock()
            self._keys = {
                key.key_id: key for key in found if key.key_id and key.algorithm_name in ALGORITHMS
            }
        finally:
            self._fetching = None


class Oidc:
    """Checks tokens. The arguments are the settings of the same names."""

    def __init__(
        self, *, issuer: str, audience: str, jwks_url: str, tenant_claim: str, leeway_s: int
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._tenant_claim = tenant_claim
        self._leeway_s = leeway_s
        self._keys = KeySet(jwks_url)

    async def caller(self, token: str) -> Caller:
        """
        The caller that *token* names.

        Raises: SignInRequired: it is not from the issuer, not for us, or not valid now.
            SignInUnavailable. NotAllowed: a name in it cannot be used.
        """
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except PyJWTError:
            raise SignInRequired from None
        if not isinstance(key_id, str):
            raise SignInRequired
        claims = self._claims(token, await self._keys.key(key_id))
        tenant = claims.get(self._tenant_claim) if self._tenant_claim else None
        if self._tenant_claim and tenant is None:
            raise SignInRequired
        return proven(claims["sub"], tenant, claims.get("name"))

    def _claims(self, token: str, key: PyJWK) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                # The algorithm of the key, not the one that the token names.
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway_s,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except PyJWTError:
            raise SignInRequired from None
        return claims
