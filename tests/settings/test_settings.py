# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every mistake in a settings file is one line that names file, key and reason."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import VehicleConfig, load_calibration, load_config
from edge.errors import ConfigError
from settings import SettingsError, explain, parse

GOOD = 'vehicle = "bus-7"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "[camera]\nheigth = 3", "v.toml: camera.heigth: unknown key, did you mean 'height'?"),
        (GOOD + "[sampling]\nevery_km = 2", "v.toml: sampling.every_km: unknown key, did you mean 'every_m'?"),
        (GOOD + "[sampling]\nmax_speed_kmh = 50", "did you mean 'max_speed_mps'?"),
        ("[camera]\nwidth = 640", "v.toml: vehicle: is missing"),
        (GOOD + "[camera]\nwidth = 3", "camera.width: Expected `int` >= 160"),
        (GOOD + '[sampling]\nevery_m = "2"', "sampling.every_m: Expected `float`, got `str`"),
        (GOOD + '[camera]\nkind = "webcam"', "camera.kind: Invalid enum value 'webcam'"),
        (GOOD + "camera = 3", "v.toml: camera: Expected `object`, got `int`"),
        ("vehicle = ", "v.toml: is no valid TOML"),
        ('vehicle = "../../etc"', "v.toml: vehicle: Expected `str` matching regex"),
        ('vehicle = "bus-7\\n"', "v.toml: vehicle: Expected `str` matching regex"),
        (GOOD + "[delivery]\ndata = 3", "delivery.data: Expected a path, got 3"),
    ],
)
def test_a_mistake_is_told_in_one_line(text: str, expected: str):
    with pytest.raises(SettingsError) as caught:
        parse(text, VehicleConfig, name="v.toml")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_as_such(text: str):
    with contextlib.suppress(SettingsError):
        parse(text, VehicleConfig, name="v.toml")


def test_relative_paths_start_at_the_file(tmp_path: Path):
    (tmp_path / "v.toml").write_text(GOOD + '[delivery]\ndata = "out"\n')
    assert load_config(tmp_path / "v.toml").delivery.data == tmp_path / "out"


def test_a_missing_file_and_half_a_certificate_are_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "v.toml").write_text(GOOD + '[delivery]\nca = "ca.pem"\ncertificate = "c.pem"\n')
    with pytest.raises(ConfigError, match=r"delivery\.certificate and delivery\.key: set both or none"):
        load_config(tmp_path / "v.toml")


def test_a_calibration_out_of_bounds_is_refused(tmp_path: Path):
    path = tmp_path / "c.toml"
    path.write_text('id="a"\nwidth=640\nheight=480\nfx=500\nfy=500\ncx=320\ncy=240\nheight_m=-2\n')
    with pytest.raises(ConfigError, match=r"c\.toml: height_m: Expected `float` > 0\.1"):
        load_calibration(path)


def test_explain_names_every_key_and_where_its_value_came_from():
    lines = "\n".join(explain(VehicleConfig, {"vehicle": "bus-7", "sampling": {"every_m": 3.0}}))
    assert 'vehicle = "bus-7"  # from the file' in lines
    assert "every_m = 3.0  # from the file" in lines
    assert "every_s = 0.5  # default" in lines
    assert "metres driven between judged frames, at most [> 0, <= 50]" in lines
    parse(lines, VehicleConfig, name="explained")  # what it prints is a valid file
