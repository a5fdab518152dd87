"""Tokens of an identity provider, checked against a real key server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from starlette.datastructures import Headers

from rnb.view.jwt import Keys

jwt = pytest.importorskip("jwt")
rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
OURS, THEIRS = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
HOUR = 3600


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key()))
    body = json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Keys(f"http://127.0.0.1:{server.server_port}/keys", "notebooks")
    server.shutdown()


def token(key: Any = OURS, algorithm: str = "RS256", kid: str = "k1", **claims: Any) -> str:
    told = {"aud": "notebooks", "exp": time.time() + HOUR, **claims}
    made = {name: value for name, value in told.items() if value is not None}
    return str(jwt.encode(made, key, algorithm=algorithm, headers={"kid": kid}))


TOKENS = {
    "good": (lambda: token(), True),
    "another audience": (lambda: token(aud="mail"), False),
    "no audience": (lambda: token(aud=None), False),
    "expired": (lambda: token(exp=time.time() - HOUR), False),
    "never expires": (lambda: token(exp=None), False),
    "signed by another": (lambda: token(THEIRS), False),
    "an unknown key": (lambda: token(kid="k2"), False),
    "signed by nobody": (lambda: token(None, "none"), False),
    "a shared secret": (lambda: token("x" * 40, "HS256"), False),
    "no token": (lambda: "a.b.c", False),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens(keys: Keys, name: str) -> None:
    make, good = TOKENS[name]
    assert keys.accept(Headers({"authorization": f"Bearer {make()}"})) is good
    assert keys.accept(Headers({"cf-access-jwt-assertion": make()})) is good


def test_without_a_token(keys: Keys) -> None:
    assert not keys.accept(Headers({}))
