"""Finds out who a request comes from, in the way that PARLEY_TOKEN_AUTH chooses."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from starlette.requests import Request

from service_base import key_file
from token_service.callers import Caller, proven
from token_service.cookie import anonymous
from token_service.errors import NotAllowed, SignInRequired
from token_service.oidc import Oidc
from token_service.settings import TokenSettings

CALLER_HEADER = "Parley-Caller"
CALLER_NAME_HEADER = "Parley-Caller-Name"
"""Percent-encoded UTF-8."""

Identify = Callable[[Request], Awaitable[Caller]]
"""Raises SignInRequired, SignInUnavailable, NotAllowed."""


def by(settings: TokenSettings) -> Identify:
    """
    The function that identifies callers as *settings* choose.

    Raises: SettingsError: the file of API keys cannot be read.
    """
    match settings.token_auth:
        case "none":
            return anonymous
        case "oidc":
            oidc = Oidc(
                issuer=settings.token_oidc_issuer,
                audience=settings.token_oidc_audience,
                jwks_url=settings.token_oidc_jwks_url,
                tenant_claim=settings.token_oidc_tenant_claim,
                leeway_s=settings.token_oidc_leeway_s,
            )

            async def signed_in(request: Request) -> Caller:
                return await oidc.caller(bearer(request))

            return signed_in
        case "api-key":
            return ApiKeys(
                key_file.read(
                    settings.token_api_keys_file,
                    "PARLEY_TOKEN_API_KEYS_FILE",
                    "write it, one `tenant: secret` a line",
                )
            )


class ApiKeys:
    """
    Servers that ask on behalf of their users: the key names the tenant, a header the user.

    Args: keys: secrets by tenant.
    """

    def __init__(self, keys: dict[str, str]) -> None:
        self._tenants = {_digest(secret): tenant for tenant, secret in keys.items()}

    async def __call__(self, request: Request) -> Caller:
        """The user that the server names."""
        sent = _digest(bearer(request))
        # All keys are compared, in constant time, so that the response time reveals nothing.
        found = [name for key, name in self._tenants.items() if hmac.compare_digest(key, sent)]
        if not found:
            raise SignInRequired("This API key is unknown.")
        identity = request.headers.get(CALLER_HEADER)
        if identity is None:
            raise NotAllowed(f"The header {CALLER_HEADER} must name the calling user.")
        name = unquote(request.headers.get(CALLER_NAME_HEADER, ""), errors="replace")
        return proven(identity, found[0], name)


def bearer(request: Request) -> str:
    """
    The token of the request.

    Raises: SignInRequired: it has none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise SignInRequired
    return token.strip()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
