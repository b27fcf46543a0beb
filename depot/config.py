# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot's configuration: one TOML file, read once, frozen. `wegewart-depot config explain` prints all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from depot.asking.config import AskingConfig
from depot.errors import ConfigError
from depot.fleet.config import FleetConfig
from depot.handover.config import HandoverConfig
from depot.handover.config import problem as handover_problem
from depot.keeping.config import RetentionConfig
from depot.people.config import PeopleConfig
from depot.people.config import problem as people_problem
from depot.reports.config import ReportsConfig
from depot.roads.config import RoadsConfig
from depot.routing.config import RoutingConfig
from depot.sections import Section, Url
from depot.store.config import DatabaseConfig, IngestConfig
from depot.store.picture_config import PicturesConfig
from depot.updates.config import UpdatesConfig
from depot.updates.config import problem as updates_problem
from settings import SettingsError, load

DEFAULT_FOLDER = Path("var/depot")


class BrokerConfig(Section, frozen=True):
    """The MQTT broker that the vehicles publish to."""

    host: Annotated[str, Meta(min_length=1, max_length=253, description="name or address of the broker")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port; 8883 is usual with TLS")] = 1883
    protocol: Annotated[Literal["5", "3.1.1"], Meta(description="MQTT version; 3.1.1 where the broker has no more")] = (
        "5"
    )
    client_id: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{1,64}$",
            description="keep it: the broker holds what comes in under this name while the depot is down",
        ),
    ] = "wegewart-depot"
    username: Annotated[str | None, Meta(description="login name; not set: anonymous")] = None
    password_file: Annotated[Path | None, Meta(description="file with the password in its first line")] = None
    tls_ca: Annotated[Path | None, Meta(description="PEM file of the broker's CA; set: TLS is used")] = None
    tls_cert: Annotated[Path | None, Meta(description="PEM file of our own certificate, for mutual TLS")] = None
    tls_key: Annotated[Path | None, Meta(description="PEM file of our own key, for mutual TLS")] = None


class DataConfig(Section, frozen=True):
    """Where the depot keeps its database and pictures."""

    folder: Annotated[Path, Meta(description="made if missing; relative: beside this file")] = DEFAULT_FOLDER


class HttpConfig(Section, frozen=True):
    """The page and its API."""

    host: Annotated[str, Meta(min_length=1, max_length=253, description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port; 0 takes a free one and prints it")] = 8420


class PageConfig(Section, frozen=True):
    """How the page looks."""

    language: Annotated[Literal["de", "en"], Meta(description="language shown first")] = "de"
    style_url: Annotated[
        Url | None, Meta(description="MapLibre style of the base map; not set or no answer: a plain grid in metres")
    ] = None
    tiles_url: Annotated[Url | None, Meta(description="raster tiles with {z}, {x}, {y}, laid over the plain grid")] = (
        None
    )
    attribution: Annotated[str, Meta(max_length=200, description="who made the tiles, shown on the map")] = ""


class Config(Section, frozen=True):
    """The depot's configuration."""

    broker: BrokerConfig = BrokerConfig()
    data: DataConfig = DataConfig()
    http: HttpConfig = HttpConfig()
    page: PageConfig = PageConfig()
    database: DatabaseConfig = DatabaseConfig()
    pictures: PicturesConfig = PicturesConfig()
    ingest: IngestConfig = IngestConfig()
    people: PeopleConfig = PeopleConfig()
    roads: RoadsConfig = RoadsConfig()
    routing: RoutingConfig = RoutingConfig()
    reports: ReportsConfig = ReportsConfig()
    asking: AskingConfig = AskingConfig()
    fleet: FleetConfig = FleetConfig()
    updates: UpdatesConfig = UpdatesConfig()
    handover: HandoverConfig = HandoverConfig()
    retention: RetentionConfig = RetentionConfig()


def read(path: Path) -> Config:
    """Read and check the configuration.

    Raises:
        ConfigError: one line that names file, key and reason.
    """
    try:
        config = load(path, Config)
    except SettingsError as error:
        raise ConfigError(str(error)) from None
    problem = _problem(config)
    if problem is not None:
        raise ConfigError(f"{path}: {problem}")
    if config.data.folder == DEFAULT_FOLDER:  # a default does not know yet where the file is
        return replace(config, data=DataConfig(folder=path.parent / DEFAULT_FOLDER))
    return config


def _problem(config: Config) -> str | None:
    """What no single key shows: keys that need each other, files that must be there, an open door."""
    broker = config.broker
    if broker.password_file is not None and broker.username is None:
        return "broker.password_file: is set without broker.username"
    if (broker.tls_cert is None) != (broker.tls_key is None):
        return "broker.tls_cert: tls_cert and tls_key go together"
    if broker.tls_cert is not None and broker.tls_ca is None:
        return "broker.tls_cert: is set without broker.tls_ca, so no TLS would be used"
    for key in ("password_file", "tls_ca", "tls_cert", "tls_key"):
        path: Path | None = getattr(broker, key)
        if path is not None and not path.is_file():
            return f"broker.{key}: {path} is not a file"
    return (
        people_problem(config.people, http_host=config.http.host)
        or updates_problem(config.updates)
        or handover_problem(config.handover)
    )


def password(broker: BrokerConfig) -> str | None:
    """The broker's password from its file.

    Raises:
        ConfigError: the file cannot be read or its first line is empty.
    """
    if broker.password_file is None:
        return None
    try:
        first = broker.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"broker.password_file: {broker.password_file} cannot be read: {error}") from None
    if not first:
        raise ConfigError(f"broker.password_file: the first line of {broker.password_file} is empty")
    return first
