"""An OpenID Connect issuer for tests: its keys over real HTTP, and tokens that it signs."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://login.example"
AUDIENCE = "parley"
Claims = Mapping[str, object]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Issuer:
    """Answers with its public keys; counts how often it was asked."""

    keys: dict[str, PrivateKey] = field(default_factory=dict)
    url: str = ""
    asked: int = 0
    is_broken: bool = False
    """It answers, but with nothing that is a set of keys."""

    def rotate(self, key_id: str, *, keep: bool = False) -> None:
        """A new key, in place of all others or beside them."""
        kept = self.keys if keep else {}
        self.keys = {**kept, key_id: ec.generate_private_key(ec.SECP256R1())}

    def token(self, key_id: str, claims: Claims | None = None, algorithm: str = "ES256") -> str:
        """A token of Sam's, valid for a minute; a claim that is None is left out."""
        said = {**sams(), **(claims or {})}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self.keys[key_id], algorithm, {"kid": key_id})

    def document(self) -> bytes:
        """Its keys as JSON."""
        if self.is_broken:
            return b"<html>"
        return json.dumps({"keys": [_public(kid, key) for kid, key in self.keys.items()]}).encode()


def sams() -> Claims:
    """What a good token of Sam's says now."""
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "sam", "iat": now, "exp": now + 60}


def _public(key_id: str, key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": key_id, "use": "sig"}


@contextmanager
def serving(issuer: Issuer, port: int = 0) -> Iterator[Issuer]:
    """The issuer, reachable at its `url` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            body = issuer.document()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}/jwks"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
