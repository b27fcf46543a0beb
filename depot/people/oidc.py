# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The city's identity provider: OpenID Connect, authorization code flow with PKCE, state and nonce.

The provider is asked through `httpx`; what it says about a person counts only as an ID token that its own key signed,
that is for us, fresh, and answers our nonce.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from depot.people.config import OidcConfig, is_loopback
from depot.people.errors import PeopleError
from depot.people.roles import UserRole

#: Only signatures that the provider alone can make: none with a shared secret, and never "none".
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_TIMEOUT_S = 10.0
#: Seconds that the provider's clock may differ from ours.
_LEEWAY_S = 60


class Provider:
    """One identity provider. Its addresses and keys are asked once and kept; keys again when an unknown one signs."""

    def __init__(
        self,
        oidc: OidcConfig,
        *,
        redirect_uri: str,
        secret: str | None,
        client: Callable[[], httpx.Client] | None = None,
    ) -> None:
        self._oidc = oidc
        self._issuer = oidc.issuer or ""
        self._redirect_uri = redirect_uri
        self._secret = secret
        self._client = client or (lambda: httpx.Client(timeout=_TIMEOUT_S))
        self._lock = threading.Lock()
        self._addresses: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser. Raises PeopleError (502)."""
        query = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._oidc.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        address = self._known()["authorization_endpoint"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def claims(self, *, code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """What the provider says of the person who came back with `code`. Raises PeopleError (502)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        known = self._known()
        basic = None
        if self._secret is None:
            form["client_id"] = self._oidc.client_id
        elif "client_secret_basic" in known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            # RFC 6749, 2.3.1: both are form-encoded before they become Basic.
            basic = httpx.BasicAuth(quote_plus(self._oidc.client_id), quote_plus(self._secret))
        else:
            form |= {"client_id": self._oidc.client_id, "client_secret": self._secret}
        answer = self._ask("POST", known["token_endpoint"], data=form, auth=basic)
        claims = self._checked(answer.get("id_token"), nonce)
        if _at(claims, self._oidc.role_claim) is None and "userinfo_endpoint" in known:
            bearer = {"Authorization": f"Bearer {answer.get('access_token')}"}
            more = self._ask("GET", known["userinfo_endpoint"], headers=bearer)
            if more.get("sub") == claims["sub"]:
                claims = more | claims
        return claims

    def role(self, claims: dict[str, Any]) -> UserRole | None:
        """The highest role that the person's groups give; None where they give none."""
        given = _at(claims, self._oidc.role_claim)
        groups = given if isinstance(given, list) else [given]
        roles = {self._oidc.roles[group] for group in groups if isinstance(group, str) and group in self._oidc.roles}
        return max(roles, key=get_args(UserRole).index, default=None)

    def _checked(self, id_token: Any, nonce: str) -> dict[str, Any]:
        if not isinstance(id_token, str):
            raise _failed("it sent no ID token")
        rules = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._oidc.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            try:
                claims = jwt.decode(id_token, self._key_set(), algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError):  # its keys may have changed since
                claims = jwt.decode(id_token, self._key_set(fresh=True), algorithms=_ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise _failed(f"its ID token does not hold: {error}") from None
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._oidc.client_id:
            raise _failed("its ID token is for somebody else")
        return claims

    def _known(self) -> dict[str, Any]:
        with self._lock:
            if self._addresses is None:
                found = self._ask("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != self._issuer:
                    raise _failed(f"it calls itself {found.get('issuer')!r}, not {self._issuer}: people.oidc.issuer")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    if not _is_safe(found.get(name)):
                        raise _failed(f"its {name} is no https address")
                self._addresses = found
            return self._addresses

    def _key_set(self, *, fresh: bool = False) -> KeySet:
        address = self._known()["jwks_uri"]
        with self._lock:
            if self._keys is None or fresh:
                self._keys = KeySet.import_key_set(self._ask("GET", address))  # type: ignore[arg-type]
            return self._keys

    def _ask(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        try:
            with self._client() as client:
                response = client.request(method, address, **more)
            found = response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failed(f"{address} cannot be reached: {error}") from None
        except ValueError:
            raise _failed(f"{address} answers {response.status_code} and no JSON") from None
        if response.is_error or not isinstance(found, dict):
            said = [found.get(name) for name in ("error", "error_description")] if isinstance(found, dict) else []
            raise _failed(" ".join([f"{address} answers {response.status_code}", *filter(None, map(_one_line, said))]))
        return found


def challenge_of(verifier: str) -> str:
    """The S256 challenge of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _at(claims: dict[str, Any], path: str) -> Any:
    """The claim of that name, or the one that dots lead to: `realm_access.roles`."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _is_safe(address: Any) -> bool:
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _one_line(said: Any) -> str:
    return "".join(char for char in said if char.isprintable())[:200] if isinstance(said, str) else ""


def _failed(why: str) -> PeopleError:
    return PeopleError(f"identity provider: {why}", status=502)
