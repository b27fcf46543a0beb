# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A wrong configuration is one line that names file, key and reason; the commands end with their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import pytest

from depot import config
from depot.cases.projection import CaseProjection
from depot.cli import main
from depot.config import Config, password
from depot.errors import ConfigError
from depot.intake import judge
from depot.projecting import Projector
from depot.routing.router import Router
from depot.store.appending import append
from depot.store.config import DatabaseConfig
from depot.store.opening import open_database
from depot.store.picture_config import PicturesConfig
from depot.store.picture_store import open_pictures
from settings.toml_file import tomllib
from tests.depot import samples


def read(tmp_path, text: str) -> Config:
    file = tmp_path / "depot.toml"
    file.write_text(text, encoding="utf-8")
    return config.read(file)


def test_an_empty_file_is_enough_and_its_folder_is_where_the_data_goes(tmp_path):
    made = read(tmp_path, "")
    assert made.data.folder == tmp_path / "var/depot"
    assert made.http.host == "127.0.0.1"
    assert made.page.language == "de"


def test_relative_paths_start_at_the_file(tmp_path):
    assert read(tmp_path, '[data]\nfolder = "x"').data.folder == tmp_path / "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[broker]\nprot = 1883", "broker.prot: unknown key, did you mean 'port'?"),
        ("[brokr]", "brokr: unknown key, did you mean 'broker'?"),
        ("[broker]\nport = 0", "broker.port: "),
        ('[broker]\nport = "1883"', "broker.port: "),
        ('[broker]\nprotocol = "4"', "broker.protocol: "),
        ('[broker]\nclient_id = "a b"', "broker.client_id: "),
        ('[broker]\npassword_file = "p"', "broker.password_file: is set without broker.username"),
        ('[broker]\nusername = "u"\npassword_file = "missing"', "broker.password_file: "),
        ('[broker]\ntls_ca = "missing.pem"', "broker.tls_ca: "),
        ('[broker]\ntls_key = "k.pem"', "broker.tls_cert: tls_cert and tls_key go together"),
        (
            '[people]\nlogin = "off"\n[http]\nhost = "0.0.0.0"',
            'people.login: "off" lets everybody who reaches',
        ),
        ('[people]\nlogin = "oidc"', "people.oidc.issuer: "),
        ('[handover.open311]\nurl = "https://stadt.example/v2"', "handover.open311.services: "),
        ('[page]\nlanguage = "fr"', "page.language: "),
        ('[page]\nstyle_url = "file:///etc"', "page.style_url: "),
        ("[broker", "is no valid TOML"),
    ],
)
def test_each_mistake_is_one_line_with_file_and_key(tmp_path, text, said):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    line = str(error.value)
    assert line.startswith(f"{tmp_path / 'depot.toml'}: {said}") or (said in line and "\n" not in said)
    assert "\n" not in line.replace(text, "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_alone_needs_no_login(tmp_path, host):
    assert read(tmp_path, f'[people]\nlogin = "off"\n[http]\nhost = "{host}"').http.host == host


def test_the_password_is_the_first_line_of_its_file(tmp_path):
    (tmp_path / "p").write_text("geheim\r\nmore")
    assert password(read(tmp_path, '[broker]\nusername = "u"\npassword_file = "p"').broker) == "geheim"
    (tmp_path / "p").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        password(read(tmp_path, '[broker]\nusername = "u"\npassword_file = "p"').broker)


def test_config_explain_prints_a_file_that_can_be_used(tmp_path, capsys):
    assert main(["config", "explain"]) == 0
    text = capsys.readouterr().out
    assert "(no description)" not in text
    assert set(tomllib.loads(text)) == set(Config.__struct_fields__)
    assert read(tmp_path, text).broker.port == 1883


def test_a_wrong_file_ends_serve_with_code_2_and_one_line(tmp_path, capsys):
    (tmp_path / "depot.toml").write_text("[broker]\nport = 99999")
    assert main(["serve", "--config", str(tmp_path / "depot.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_file_ends_with_code_2(tmp_path, capsys):
    assert main(["serve", "--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_a_store_that_cannot_be_used_ends_with_code_6(tmp_path, capsys):
    (tmp_path / "data").write_text("a file where the folder should be")
    (tmp_path / "depot.toml").write_text('[data]\nfolder = "data"\n[http]\nport = 0')
    assert main(["serve", "--config", str(tmp_path / "depot.toml")]) == 6
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_that_is_taken_ends_with_code_2(tmp_path, capsys):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "depot.toml").write_text(f"[http]\nport = {taken.getsockname()[1]}")
        assert main(["serve", "--config", str(tmp_path / "depot.toml")]) == 2
    assert "cannot listen" in capsys.readouterr().err


def test_export_writes_geojson(tmp_path):
    pictures = open_pictures(PicturesConfig(), folder=tmp_path / "data")
    with closing(open_database(DatabaseConfig(), tmp_path / "data", pictures)) as database:
        append(database, pictures, [judge(samples.topic("observation"), samples.payload(samples.observation()))])
        assert Projector(database, [CaseProjection(Router())]).run_once() == 1
    (tmp_path / "depot.toml").write_text('[data]\nfolder = "data"')
    ended = subprocess.run(
        [sys.executable, "-m", "depot.cli", "export", "--config", str(tmp_path / "depot.toml"), "--format", "geojson"],
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    assert len(json.loads(ended.stdout)["features"]) == 1


def test_help_names_the_exit_codes(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "exit codes" in capsys.readouterr().out
