"""Settings of the token service."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from call_record.admission import Limits
from call_record.settings import RecordSettings
from service_base.setting_text import AgentName, matching
from service_base.sfu import SfuSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


PublicSfuAddress = Annotated[
    str,
    matching(r"(wss?://\S+)?", "an address that starts with ws:// or wss://, or nothing"),
]


class TokenSettings(SfuSettings, RecordSettings):
    """What the token service reads from the environment."""

    token_host: str = Field("127.0.0.1", description="Address that the token service listens on.")
    token_port: int = Field(
        8080, ge=1, le=65535, description="Port of the token service and the web page."
    )
    sfu_public_url: PublicSfuAddress = Field(
        "",
        description="Address of the SFU as browsers reach it; empty: the same as PARLEY_SFU_URL.",
    )
    agent_name: AgentName = Field(
        "parley", description="Name under which workers register; calls are dispatched to it."
    )
    web_dir: Path = Field(Path("web/dist"), description="Folder of the built web client.")
    token_page_file: Path | None = Field(
        None,
        description="JSON file with the page's words for the agent: `name`, `lead`, `suggestions`; "
        "empty: those built into the page.",
    )

    token_auth: Literal["none", "oidc", "api-key"] = Field(
        "none",
        description="Who may call: none (everyone who reaches the service), oidc (users with a "
        "token from an OpenID Connect issuer), api-key (servers that have a key, for their users).",
    )
    token_open: bool = Field(
        False,
        validate_default=True,
        description="With none above: allow it although the service can be reached from other "
        "machines.",
    )
    token_oidc_issuer: str = Field(
        "",
        validate_default=True,
        description="With oidc: the issuer, exactly as in the tokens' `iss`.",
    )
    token_oidc_audience: str = Field(
        "", validate_default=True, description="With oidc: what the tokens' `aud` must name."
    )
    token_oidc_jwks_url: str = Field(
        "",
        validate_default=True,
        description="With oidc: address of the issuer's keys (`jwks_uri` of its discovery "
        "document).",
    )
    token_oidc_tenant_claim: str = Field(
        "", description="With oidc: the claim that names the caller's tenant; empty: none."
    )
    token_oidc_leeway_s: int = Field(
        30, ge=0, le=300, description="Seconds by which the issuer's clock may differ from ours."
    )
    token_api_keys_file: Path = Field(
        default_factory=lambda data: Path(data.get("run_dir", ".run")) / "api-keys.yaml",
        description="With api-key: YAML file of the keys, one `tenant: secret` a line, mode 600.",
    )
    token_origins: str = Field(
        "",
        description="Origins of other pages that may call, besides the service's own, such as "
        "https://shop.example; separated by commas.",
    )
    token_trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the proxies in front, separated by commas; only "
        "their X-Forwarded-For and X-Forwarded-Proto are believed.",
    )

    token_rate_caller: int = Field(30, ge=1, description="Requests per minute by one known caller.")
    token_rate_address: int = Field(
        300,
        ge=1,
        description="Requests per minute from one address (IPv6: one /64 network) of callers who "
        "are not signed in. As many sign-ins may fail there.",
    )
    token_rate_all: int = Field(
        3_000,
        ge=1,
        description="Requests per minute in total, of each kind: signed in, not signed in, failed.",
    )
    token_rate_redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis that counts the requests of all token services together "
        "(redis://...); empty: each counts its own.",
    )
    token_rate_without_redis: Literal["memory", "refuse", "allow"] = Field(
        "memory",
        description="While that Redis is unreachable: memory (each service counts its own), "
        "refuse, allow (nothing is counted).",
    )
    token_calls_a_caller: int = Field(
        2, ge=0, description="Simultaneous calls of one caller; 0: no limit."
    )
    token_minutes_a_day: int = Field(
        120, ge=0, description="Minutes of calls per caller and day (UTC); 0: no limit."
    )
    token_captcha_url: str = Field(
        "",
        description="Address at which a CAPTCHA's proof is verified (`siteverify` of reCAPTCHA, "
        "hCaptcha, Turnstile): callers who are not signed in must send one, in the header "
        "Parley-Captcha, for a new call. Empty: none is asked for.",
    )
    token_captcha_secret: SecretStr = Field(
        SecretStr(""), validate_default=True, description="The secret for that address."
    )
    token_network_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Of all slots, what callers who prove no identity may hold from one network "
        "(IPv4: one address, and one /24; IPv6: /64, /56, /48); 1: no limit.",
    )
    token_calls_a_tenant: dict[str, int] = Field(
        {},
        description='Simultaneous calls of a tenant, as JSON: {"bank": 20}; others have no limit '
        "of their own.",
    )
    token_calls_max: int = Field(
        0, ge=0, description="Simultaneous calls in total; 0: as many as workers take."
    )

    @field_validator("token_open")
    @classmethod
    def _closed_unless_on_loopback(cls, value: bool, info: ValidationInfo) -> bool:
        host = info.data.get("token_host", LOOPBACK[0])
        if info.data.get("token_auth") == "none" and host not in LOOPBACK and not value:
            raise ValueError(
                f"everyone who reaches {host} could call: set PARLEY_TOKEN_AUTH, or this to true"
            )
        return value

    @field_validator("token_oidc_issuer", "token_oidc_audience", "token_oidc_jwks_url")
    @classmethod
    def _given_for_oidc(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("token_auth") == "oidc" and not value:
            raise ValueError("PARLEY_TOKEN_AUTH=oidc needs it")
        return value

    @field_validator("token_oidc_jwks_url", "token_captcha_url")
    @classmethod
    def _cannot_be_replaced_on_its_way(cls, value: str) -> str:
        url = urlsplit(value)
        local = url.scheme == "http" and url.hostname in LOOPBACK
        if value and not local and url.scheme != "https":
            raise ValueError("expected an https address")
        return value

    @field_validator("token_captcha_secret")
    @classmethod
    def _goes_with_the_captcha(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(value.get_secret_value()) != bool(info.data.get("token_captcha_url")):
            raise ValueError("PARLEY_TOKEN_CAPTCHA_URL and this one are set both or neither")
        return value

    @field_validator("token_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for origin in _listed(value):
            url = urlsplit(origin)
            if url.scheme not in ("http", "https") or origin != f"{url.scheme}://{url.netloc}":
                raise ValueError("expected origins such as https://shop.example")
        return value

    @field_validator("token_trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for proxy in _listed(value):
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError("expected addresses or networks such as 10.0.0.0/8") from None
        return value

    @field_validator("token_rate_redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("redis://", "rediss://")):
            raise ValueError("expected a URL that starts with redis:// or rediss://")
        return value

    @property
    def rtc_url(self) -> str:
        """The SFU's WebSocket address for browsers."""
        return self.sfu_public_url or self.sfu_url

    @property
    def is_for_loopback(self) -> bool:
        """Whether listening on loopback is the only protection."""
        return self.token_auth == "none" and not self.token_open  # noqa: S105

    @property
    def origins(self) -> list[str]:
        """Origins of other pages that may call."""
        return _listed(self.token_origins)

    @property
    def trusted_proxies(self) -> list[str]:
        """Addresses and networks."""
        return _listed(self.token_trusted_proxies)

    @property
    def limits(self) -> Limits:
        """Limits of admission."""
        return Limits(
            calls_a_caller=self.token_calls_a_caller or None,
            minutes_a_day=self.token_minutes_a_day or None,
            calls=self.token_calls_max or None,
            calls_a_tenant=self.token_calls_a_tenant,
            network_share=self.token_network_share,
        )


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
