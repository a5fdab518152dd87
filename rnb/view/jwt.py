"""Tokens of an identity provider: signed, for our audience, not expired. PyJWT lives here and nowhere else."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import threading
import time
from typing import Any

from starlette.datastructures import Headers

from rnb.errors import MissingExtra

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
HEADERS = ("authorization", "cf-access-jwt-assertion", "x-goog-iap-jwt-assertion")
REMEMBERED = 1000
LONGEST = 300.0  # seconds that an accepted token is taken without looking at it again


class Keys:
    """Checks tokens against the keys at a JWKS URL. Raises MissingExtra if PyJWT is not there."""

    def __init__(self, url: str, audience: str) -> None:
        try:
            self._jwt: Any = importlib.import_module("jwt")
            importlib.import_module("cryptography")
        except ImportError:
            raise MissingExtra("--jwks", "jwt") from None
        self._client = self._jwt.PyJWKClient(url, cache_keys=True, lifespan=600, timeout=5)
        self._audience = audience
        self._known: dict[bytes, float] = {}  # digest of an accepted token -> when to look at it again
        self._lock = threading.Lock()

    def accept(self, headers: Headers) -> bool:
        """Whether one of the headers holds a token that is good. May ask the URL for its keys; never raises."""
        for name in HEADERS:
            value = headers.get(name, "")
            token = value.partition(" ")[2] if name == "authorization" else value
            if token.count(".") == 2 and self._good(token):
                return True
        return False

    def _good(self, token: str) -> bool:
        digest = hashlib.sha256(token.encode()).digest()
        with self._lock:
            if self._known.get(digest, 0.0) > time.time():
                return True
        with contextlib.suppress(self._jwt.PyJWTError, ValueError):
            key = self._client.get_signing_key_from_jwt(token).key
            options = {"require": ["exp", "aud"]}
            claims = self._jwt.decode(token, key, algorithms=ALGORITHMS, audience=self._audience, options=options)
            with self._lock:
                if len(self._known) >= REMEMBERED:
                    self._known.pop(next(iter(self._known)))
                self._known[digest] = min(float(claims["exp"]), time.time() + LONGEST)
            return True
        return False
