"""Logins by OpenID Connect: authorization code with PKCE, state and nonce, at the one provider that the settings name.

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636. Authlib does the protocol and checks signature, issuer, audience and nonce.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from genscope.config import LOOPBACK_NAMES, Settings

DISCOVERY: Final = "/.well-known/openid-configuration"


class OpenIDError(Exception):
    """The provider vouches for nobody; the message says why, to whoever wanted to log in."""


class OpenID:
    """The provider."""

    def __init__(self, settings: Settings) -> None:
        """Take in the settings; nothing is asked before somebody logs in."""
        self._settings = settings
        self._issuer = settings.oidc_issuer.rstrip("/")

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._issuer)

    @cached_property
    def _client(self) -> Any:
        # Half a second to import, which no server without a provider shall wait for.
        from authlib.integrations.starlette_client import OAuth  # noqa: PLC0415

        return OAuth().register(
            "openid",
            client_id=self._settings.oidc_client_id,
            client_secret=self._settings.oidc_client_secret.get_secret_value(),
            server_metadata_url=self._issuer + DISCOVERY,
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                # Proxies are for servers elsewhere.
                "trust_env": urlsplit(self._issuer).hostname not in LOOPBACK_NAMES,
            },
        )

    async def begin(self, request: Request, back: str) -> Response:
        """Lead to the provider, which leads to `back`.

        Raises:
            OpenIDError: it does not answer, or not as a provider.
        """
        try:
            response: Response = await self._client.authorize_redirect(request, back)
        except Exception as error:
            raise self._silent(error) from error
        return response

    async def end(self, request: Request) -> tuple[str, str]:
        """Return who came back from the provider: issuer and subject in one text, and their address.

        Raises:
            OpenIDError: it vouches for nobody, or says of no address that it was verified.
        """
        from authlib.integrations.starlette_client import OAuthError  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415

        try:
            token = await self._client.authorize_access_token(request)
            claims = dict(token.get("userinfo") or {})
            if claims and "email" not in claims:
                told = await self._client.userinfo(token=token)
                claims = claims | dict(told) if told.get("sub") == claims["sub"] else claims
        except (OAuthError, JoseError) as error:
            raise OpenIDError(f"{self._settings.oidc_name} did not log you in: {str(error)[:200]}") from error
        except Exception as error:
            raise self._silent(error) from error
        if not claims.get("sub") or str(claims.get("iss", "")).rstrip("/") != self._issuer:
            raise OpenIDError(f"{self._settings.oidc_name} is not the issuer of what it said")
        if not claims.get("email") or claims.get("email_verified") not in (True, "true"):
            raise OpenIDError(f"{self._settings.oidc_name} does not say that it verified your e-mail address")
        return f"{self._issuer} {claims['sub']}", str(claims["email"])

    def _silent(self, error: Exception) -> OpenIDError:
        # What Authlib raises depends on which library for HTTP it finds, and on what the provider says that is none.
        return OpenIDError(f"{self._settings.oidc_name} does not answer as a provider does: {type(error).__name__}")
