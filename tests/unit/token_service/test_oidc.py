"""Callers who are signed in: the issuer's keys come over real HTTP."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prometheus_client import REGISTRY

from tests.support.jwks import AUDIENCE, ISSUER, Issuer, sams, serving
from tests.support.local_stack import until
from token_service.callers import Caller
from token_service.errors import NotAllowed, SignInRequired, SignInUnavailable
from token_service.oidc import ASK_EVERY_S, FRESH_S, STALE_S, KeySet, Oidc


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """With one key, `one`."""
    made = Issuer()
    made.rotate("one")
    with serving(made):
        yield made


def oidc(issuer: Issuer, **options: str) -> Oidc:
    chosen = {"tenant_claim": "", "issuer": ISSUER, "audience": AUDIENCE, **options}
    return Oidc(jwks_url=issuer.url, leeway_s=5, **chosen)


class Clock:
    """Turned by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_caller_is_who_the_token_says(issuer: Issuer) -> None:
    """Identity, tenant and display name come from the token alone."""
    token = issuer.token("one", {"shop": "north", "name": "Sam  Rivera\n"})
    assert await oidc(issuer, tenant_claim="shop").caller(token) == Caller(
        "sam", "north", "Sam Rivera"
    )
    assert await oidc(issuer).caller(token) == Caller("sam", None, "Sam Rivera")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"exp": None},
        {"exp": int(time.time()) - 60},
        {"nbf": int(time.time()) + 3_600},
        {"iat": int(time.time()) + 3_600},
        {"shop": None},
    ],
    ids=" ".join,
)
async def test_caller_of_a_token_that_is_not_for_us_now_must_sign_in(
    issuer: Issuer, claims: dict[str, object]
) -> None:
    """Another issuer's, another service's, too late, too early, or of no one."""
    token = issuer.token("one", {"shop": "north", **claims})
    with pytest.raises(SignInRequired):
        await oidc(issuer, tenant_claim="shop").caller(token)


async def test_caller_of_a_token_within_the_leeway_is_let_in(issuer: Issuer) -> None:
    """The issuer's clock is not ours."""
    late, early = int(time.time()) - 2, int(time.time()) + 2
    for claims in ({"exp": late}, {"nbf": early, "iat": early}):
        assert (await oidc(issuer).caller(issuer.token("one", claims))).identity == "sam"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", "agent-01a20fbc-ac2f-7644-8680-f960471e1e49-1"),
        ("sub", "caller-0123456789ab"),
        ("sub", "sam#2"),
        ("sub", "sam rivera"),
        ("sub", "sám"),
        ("sub", ""),
        ("sub", "s" * 129),
        ("shop", "no\nrth"),
        ("shop", 7),
    ],
)
async def test_caller_of_a_name_that_cannot_be_used_is_refused(
    issuer: Issuer, claim: str, value: object
) -> None:
    """Nobody signs in as an agent, as an anonymous caller, or as another participant's double."""
    token = issuer.token("one", {"shop": "north", claim: value})
    with pytest.raises(NotAllowed):
        await oidc(issuer, tenant_claim="shop").caller(token)


async def test_caller_of_a_token_signed_otherwise_must_sign_in(issuer: Issuer) -> None:
    """With no key, with the public key as if it were a secret, with another's key, or with none."""
    public = issuer.keys["one"].public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    good = issuer.token("one")
    header, body, signature = good.split(".")
    other = Issuer()
    other.rotate("one")
    said = json.dumps(dict(sams())).encode()
    signer = jwt.api_jws.PyJWS()
    signer.get_algorithm_by_name("HS256").prepare_key = lambda key: key  # type: ignore[method-assign]
    assert (await oidc(issuer).caller(good)).identity == "sam"
    for token in (
        other.token("one"),
        signer.encode(said, pem, "HS256", {"kid": "one"}),
        signer.encode(said, "", "none", {"kid": "one"}),
        f"{header}.{body}.{signature[:-4]}AAAA",
        f"{header}.{body}",
        jwt.encode(dict(sams()), issuer.keys["one"], "ES256"),
        "x",
        "." * 9,
        "é.é.é",
    ):
        with pytest.raises(SignInRequired):
            await oidc(issuer).caller(token)


async def test_keys_of_an_algorithm_with_a_shared_secret_are_not_taken(issuer: Issuer) -> None:
    """Even if the issuer published one."""
    issuer.document = lambda: (  # type: ignore[method-assign]
        b'{"keys": [{"kty": "oct", "kid": "one", "k": "%s"}]}' % (b"a" * 44)
    )
    with pytest.raises(SignInRequired):
        await KeySet(issuer.url).key("one")


async def test_keys_of_rsa_are_taken(issuer: Issuer) -> None:
    """What most issuers sign with."""
    issuer.keys["two"] = rsa.generate_private_key(65537, 2048)
    token = issuer.token("two", None, "RS256")
    assert (await oidc(issuer).caller(token)).identity == "sam"


async def test_keys_are_fetched_once_for_many(issuer: Issuer) -> None:
    """Also when they come at the same time."""
    found = oidc(issuer)
    token = issuer.token("one")
    await asyncio.gather(*(found.caller(token) for _ in range(20)))
    await found.caller(token)
    assert issuer.asked == 1


async def test_key_that_is_new_is_fetched_and_one_that_is_gone_is_dropped(issuer: Issuer) -> None:
    """Rotation needs no restart."""
    clock = Clock()
    keys = KeySet(issuer.url, clock)
    await keys.key("one")
    issuer.rotate("two", keep=True)
    clock.now_s += ASK_EVERY_S
    await keys.key("two")
    issuer.rotate("three")
    clock.now_s += ASK_EVERY_S
    await keys.key("three")
    with pytest.raises(SignInRequired):
        await keys.key("one")


async def test_key_ids_that_strangers_make_up_do_not_hammer_the_issuer(issuer: Issuer) -> None:
    """It is asked now and then at most."""
    clock = Clock()
    keys = KeySet(issuer.url, clock)
    for number in range(50):
        with pytest.raises(SignInRequired):
            await keys.key(f"made up {number}")
    assert issuer.asked == 1
    clock.now_s += ASK_EVERY_S
    with pytest.raises(SignInRequired):
        await keys.key("made up again")
    assert issuer.asked == 2


@pytest.mark.parametrize("is_broken", [False, True])
async def test_keys_known_are_used_while_the_issuer_is_away(is_broken: bool) -> None:
    """Who has a good token gets in at once; an unknown key is told apart from a wrong one."""
    issuer, clock = Issuer(), Clock()
    issuer.rotate("one")
    failures = REGISTRY.get_sample_value("parley_token_jwks_errors_total") or 0
    with serving(issuer):
        keys = KeySet(issuer.url, clock)
        await keys.key("one")
        clock.now_s += FRESH_S + 1
        if is_broken:
            issuer.is_broken = True
            await keys.key("one")
            with pytest.raises(SignInUnavailable):
                await keys.key("two")
    if not is_broken:
        await keys.key("one")
        with pytest.raises(SignInUnavailable):
            await keys.key("two")
    assert REGISTRY.get_sample_value("parley_token_jwks_errors_total") == failures + 1
    clock.now_s += STALE_S
    with pytest.raises(SignInUnavailable):
        await keys.key("one")


async def test_keys_are_waited_for_without_holding_up_others() -> None:
    """The fetch happens beside the event loop."""
    issuer = Issuer()
    issuer.rotate("one")
    answer, go_on = issuer.document(), threading.Event()
    # It answers only when the event loop has turned.
    issuer.document = lambda: answer if go_on.wait(20) else b""  # type: ignore[method-assign]
    with serving(issuer):
        waiting = asyncio.create_task(KeySet(issuer.url).key("one"))
        await until(lambda: issuer.asked == 1)
        go_on.set()
        assert (await waiting).key_id == "one"
