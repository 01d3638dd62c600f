"""The only reader of the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import PydanticBaseSettingsSource

_PACKAGE = Path(__file__).resolve().parent
_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")

Seconds: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def shipped_folder(name: Literal["data", "scenarios", "populations", "batches"]) -> Path:
    """Where the shipped economy, scenarios and their like are: of the checkout, or of the wheel."""
    wheel = _PACKAGE / "_shipped" / name
    if wheel.is_dir():
        return wheel
    checkout = _PACKAGE.parent
    return checkout / "data" if name == "data" else checkout / "simulations" / name


def _level(value: str) -> str:
    if value.upper() not in _LEVELS:
        message = f"LOG_LEVEL is {value!r}; there are: {', '.join(_LEVELS)}"
        raise ValueError(message)
    return value.upper()


def _listed(value: object) -> object:
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


def _at_home(path: Path) -> Path:
    """With ``~`` as a shell has it, which nobody has put into a value of ``.env``."""
    try:
        return path.expanduser()
    except RuntimeError:
        message = f"{path} names nobody's home folder: write the path out"
        raise ValueError(message) from None


def _plain(secret: object) -> str:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else str(secret)


def _address(url: str, password: str) -> str:
    """An address whose user has the password, where it names a user and no password."""
    named = re.fullmatch(r"(\w[\w+]*://[^/?#:@]+)(@.*)", url)
    return f"{named[1]}:{quote(password, safe='')}{named[2]}" if named else url


class _AsItStands(DotEnvSettingsSource):
    """``.env`` without variables: by itself the library puts their values in the place of ``${NAME}``."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        found = dotenv_values(file_path, encoding=self.env_file_encoding, interpolate=False)
        return {name.lower(): value for name, value in found.items() if value}


HomePath: TypeAlias = Annotated[Path, AfterValidator(_at_home)]


class Settings(BaseSettings):
    """What operators set, by environment or ``.env``: ``.env.example`` says what each setting is for.

    An empty line there is no value, for every setting. None is no limit, file, folder, port or channel.

    Attributes:
        provider: A key of ``PROVIDERS``.
        cache_ttl: In seconds.
        database_password: As it is: an address that takes it has it percent-encoded.
        mirror_dir: Refused without a remote provider.
        metrics_file: Of node_exporter's collector, which reads names that end with ``.prom``.
        shard_count: None asks Discord.
        shard_ids: None of them means all; they need ``shard_count``.
        saas_mode: Refused while there is no economy for each guild.
        discord_api_url: Empty means Discord's own; ``discord_gateway_url`` likewise.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    provider: str = "local"
    economy_dir: HomePath = Field(default_factory=lambda: shipped_folder("data"))
    data_dir: HomePath = Path("data")
    debounce_seconds: Seconds = 0.5
    cache_ttl: Seconds = 5.0
    database_url: SecretStr = SecretStr("")
    database_password: SecretStr = SecretStr("")
    database_pool_min: Annotated[int, Field(ge=0)] = 5
    database_pool_max: Annotated[int, Field(ge=1)] = 20
    mongo_uri: SecretStr = SecretStr("mongodb://127.0.0.1:27017/kokoromichi?replicaSet=rs0")
    mirror_dir: HomePath | None = None
    mirror_seconds: Annotated[Seconds, Field(gt=0)] = 300.0
    activity_sampling: Annotated[float, Field(ge=0, le=1)] = 1.0
    log_level: Annotated[str, AfterValidator(_level)] = "INFO"
    metrics_port: Annotated[int | None, Field(ge=1, le=65_535)] = None
    metrics_host: str = "127.0.0.1"
    metrics_file: HomePath | None = None
    log_format: Literal["text", "json"] = "text"
    heartbeat_file: HomePath | None = None
    discord_token: SecretStr = SecretStr("")
    text_commands: bool = True
    admin_guilds: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_listed)] = ()
    admin_most_gold: Annotated[int | None, Field(ge=1)] = None
    admin_most_units: Annotated[int | None, Field(ge=1)] = None
    owner_channel: Annotated[int | None, Field(ge=1)] = None
    shard_count: Annotated[int | None, Field(ge=1)] = None
    shard_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_listed)] = ()
    saas_mode: bool = False
    discord_api_url: str = ""
    discord_gateway_url: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, the first one wins."""
        asked = cast("DotEnvSettingsSource", dotenv_settings).env_file
        return init_settings, env_settings, _AsItStands(settings_cls, asked), file_secret_settings

    @model_validator(mode="before")
    @classmethod
    def _with_password(cls, found: dict[str, object]) -> dict[str, object]:
        """Put the password into the addresses that lack one."""
        if "database_password" not in found:
            return found
        password = _plain(found["database_password"])
        addresses = {name: _plain(found[name]) for name in ("database_url", "mongo_uri") if name in found}
        return found | {name: _address(url, password) for name, url in addresses.items()}

    @property
    def chosen(self) -> dict[str, str]:
        """What somebody has chosen, by its name in the environment, ascending; secrets are hidden."""
        return {
            name.upper(): "(hidden)" if isinstance(value := getattr(self, name), SecretStr) else str(value)
            for name in sorted(self.model_fields_set)
        }

    @property
    def chosen_economy_dir(self) -> Path | None:
        """The economy's folder where somebody has chosen one, else None."""
        return self.economy_dir if "economy_dir" in self.model_fields_set else None
