"""Settings of the server: one class, read from the environment (`GENSCOPE_*`) and overridden by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
MIB: Final = 1024 * 1024

Port = Annotated[int, Ge(0), Le(65535)]
Bytes = Annotated[int, Gt(0)]


class Settings(BaseSettings):
    """What an operator can set. Sizes are bytes, times seconds."""

    model_config = SettingsConfigDict(env_prefix="GENSCOPE_", extra="ignore")

    host: str = "127.0.0.1"
    #: 0 picks a free port.
    port: Port = 4318
    #: 0 turns gRPC off.
    grpc_port: Port = 4317
    data: Path = Path("genscope-data")
    #: `chdb:///path`; empty: inside `data`.
    store: str = ""
    #: Where the bytes of attachments are: `s3://bucket/prefix`, with credentials, region and endpoint in the environment as AWS's
    #: own tools take them (`AWS_ENDPOINT_URL`, ...); empty: inside `data`.
    objects: str = ""
    allow_anonymous: bool = False

    init_project: str = "default"
    init_public_key: str = ""
    init_secret_key: SecretStr = SecretStr("")

    #: OpenID Connect: the provider, whose `/.well-known/openid-configuration` says all else, and what it knows this server by.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    #: What the button on the login page calls the provider.
    oidc_name: str = "single sign-on"
    #: Domains of e-mail addresses, separated by commas, whose people come in uninvited, as viewers of `init_project`.
    oidc_domains: str = ""

    #: Addresses of reverse proxies whose `X-Forwarded-Proto` and `X-Forwarded-For` are believed, by commas; `*`: anybody's.
    trusted_proxies: str = "127.0.0.1,::1"

    #: Largest request body, after decompression.
    max_body_bytes: Bytes = 64 * MIB
    #: Longest attribute value; longer ones are cut and marked with their length.
    max_value_bytes: Bytes = 16 * MIB
    #: Largest attachment.
    max_object_bytes: Bytes = 100 * MIB
    max_spans_per_request: Annotated[int, Gt(0)] = 100_000
    #: Accepted but not yet stored; beyond it requests are answered 503 with Retry-After.
    max_buffer_bytes: Bytes = 256 * MIB
    #: How long the writer waits for company before it inserts.
    linger: Annotated[float, Ge(0), Le(5)] = 0.02

    #: Memory that the engine may use altogether, and one query of a reader.
    engine_memory_bytes: Bytes = 2048 * MIB
    query_memory_bytes: Bytes = 1024 * MIB
    query_seconds: Annotated[int, Gt(0)] = 30
    #: Queries that readers may run at the same time; more wait.
    query_connections: Annotated[int, Gt(0)] = 4
    #: The engine's commits reach the disk before they are acknowledged. Only a benchmark has a reason to turn it off.
    fsync: bool = True

    @model_validator(mode="after")
    def _check(self) -> Settings:
        if self.store and not self.store.startswith("chdb://"):
            raise ValueError(f"store: {self.store!r} is not supported; give chdb:///path or leave it empty")
        if self.objects and not self.objects.removeprefix("s3://").strip("/"):
            raise ValueError("objects: s3:// needs a bucket, such as s3://my-bucket/genscope")
        if self.objects and not self.objects.startswith("s3://"):
            raise ValueError(f"objects: {self.objects!r} is not supported; give s3://bucket/prefix or leave it empty")
        if self.allow_anonymous and self.host not in LOOPBACK_NAMES:
            raise ValueError(f"allow_anonymous needs a loopback host such as 127.0.0.1, not {self.host!r}")
        if self.store and not self.store.removeprefix("chdb://").strip("/"):
            raise ValueError("store: chdb:// needs a path, such as chdb:///var/lib/genscope/store")
        if "?" in str(self.store_path.resolve()):
            raise ValueError(
                f"{str(self.store_path)!r}: the engine takes what follows a ? for settings; choose another path"
            )
        if ":" in self.init_public_key:
            raise ValueError("init_public_key: HTTP Basic ends the public key at the first colon; choose one without")
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret.get_secret_value()):
            raise ValueError("oidc_issuer needs oidc_client_id and oidc_client_secret, as the provider gave them")
        issuer = urlsplit(self.oidc_issuer)
        if self.oidc_issuer and issuer.scheme != "https" and issuer.hostname not in LOOPBACK_NAMES:
            raise ValueError(f"oidc_issuer: {self.oidc_issuer!r} is no https:// address")
        if bool(self.init_public_key) != bool(self.init_secret_key.get_secret_value()):
            raise ValueError("init_public_key and init_secret_key belong together: set both or neither")
        return self

    @property
    def store_path(self) -> Path:
        """The directory of the embedded engine."""
        return Path(self.store.removeprefix("chdb://")) if self.store else self.data / "store"

    @property
    def oidc_allowed(self) -> frozenset[str]:
        """The domains of `oidc_domains`."""
        return frozenset(
            domain.strip().lower().removeprefix("@") for domain in self.oidc_domains.split(",") if domain.strip()
        )
