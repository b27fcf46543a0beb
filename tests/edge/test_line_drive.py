# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive through a tunnel on a known line: chainage, and places corrected under the same id."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import edge.assembly
from benchmarks.matching import compare
from benchmarks.simulated_drive import RADIUS_95, TrueBoxes, config_for, observations
from benchmarks.tunnel_drive import LINING, ZERO_M, line_file
from edge.assembly import MODELS
from edge.config import LineConfig, VisionConfig
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.simulator import simulate
from edge.simulator.truth import Truth, load
from edge.types import Detection


@pytest.fixture(scope="module")
def tunnel_drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drive = tmp_path_factory.mktemp("tunnel") / "drive"
    simulate(drive, seed=4, km=0.3, scene="mixed")
    return drive


def test_a_tunnel_on_a_known_line_gives_chainage_and_corrections_under_the_same_id(
    tunnel_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    truth = load(tunnel_drive / "truth.json")
    assert truth.tunnel_m is not None
    boxes = TrueBoxes(truth)
    monkeypatch.setattr(edge.assembly.Detector, "detect", lambda _self, picture: boxes.detect(picture))
    config = config_for(tunnel_drive)
    config = type(config)(
        vehicle=config.vehicle,
        camera=config.camera,
        position=config.position,
        line=LineConfig(file=line_file(truth, tmp_path / "line.csv")),
    )
    out = tmp_path / "o.jsonl"
    names = iter(Path(frame.frame).name for frame in truth.frames)
    daemon = Daemon(config, lambda _m, _c: JsonlSink(out, vehicle="v"))
    daemon.progress = lambda _p, _d: setattr(boxes, "frame", next(names, ""))
    boxes.frame = next(names)
    daemon.run()
    result = compare(truth, observations(out))
    assert result.found_once == len(result.clear) >= 8
    off = [
        (abs(m.observation.line.chainage_m - ZERO_M - m.defect.s_m) - m.defect.length_m / 2, m.observation.line.error_m)
        for m in result.matches
        if m.observation.line is not None
    ]
    assert len(off) >= 0.7 * len(result.matches)
    assert sum(gap <= RADIUS_95 * error for gap, error in off) >= 0.9 * len(off)
    events = [json.loads(line) for line in out.read_bytes().splitlines()]
    told = {event["id"] for event in events if event["type"] == "wegewart.observation.v1"}
    revised = [event["data"] for event in events if event["type"] == "wegewart.revision.v1"]
    assert revised
    assert {r["observation"] for r in revised} <= told
    assert all(r["position"]["revised"] for r in revised)
    spans = [event["data"].get("line") for event in events if event["type"] == "wegewart.coverage.v1"]
    assert any(span and span["line"] == "K1" and span["to_m"] > span["from_m"] for span in spans)


class TwoModels:
    """The truth in place of two models: what lies on the road for one, what lies on the lining for the other."""

    def __init__(self, truth: Truth) -> None:
        self.frame = ""
        self.judged: dict[str, list[str]] = {"street": [], "tunnel": []}
        self._boxes: dict[tuple[str, str], list[Detection]] = {}
        for defect in truth.defects:
            model = {"road": "street", "lining": "tunnel"}[defect.surface]
            for sighting in defect.frames:
                if sighting.clear:
                    box = Detection(defect.label, 0.8, sighting.box)
                    self._boxes.setdefault((model, sighting.frame), []).append(box)

    def detect(self, model: str) -> list[Detection]:
        self.judged[model].append(self.frame)
        return self._boxes.get((model, self.frame), [])


def test_in_a_tunnel_a_second_model_judges_the_lining_and_the_first_goes_on_with_the_road(
    tunnel_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    truth = load(tunnel_drive / "truth.json")
    models = TwoModels(truth)
    monkeypatch.setattr(
        edge.assembly.Detector, "detect", lambda self, _picture: models.detect(self.package.manifest.name)
    )
    packages = tmp_path / "models"
    shutil.copytree(MODELS / "street", packages / "street")
    shutil.copytree(MODELS / "street", packages / "tunnel")
    manifest = packages / "tunnel" / "model.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace('name = "street"', 'name = "tunnel"', 1).replace('task = "road"', 'task = "tunnel"', 1),
        encoding="utf-8",
    )
    config = config_for(tunnel_drive)
    config = type(config)(
        vehicle=config.vehicle,
        camera=config.camera,
        position=config.position,
        vision=VisionConfig(models=packages),
        line=LineConfig(file=line_file(truth, tmp_path / "line.csv")),
        tunnel=LINING,
    )
    out = tmp_path / "o.jsonl"
    names = iter(Path(frame.frame).name for frame in truth.frames)
    daemon = Daemon(config, lambda _m, _c: JsonlSink(out, vehicle="v"))
    daemon.progress = lambda _p, _d: setattr(models, "frame", next(names, ""))
    models.frame = next(names)
    daemon.run()
    inside = {Path(frame.frame).name for frame in truth.frames if frame.in_tunnel}
    # The switch waits for the line's own error.
    assert len(inside & set(models.judged["tunnel"])) >= 0.7 * len(inside)
    assert len(set(models.judged["tunnel"]) - inside) <= 15
    assert inside & set(models.judged["street"])
    found = [seen for seen in observations(out) if seen.surface == "lining"]
    assert len(found) >= 3
    heights = {defect.label: [] for defect in truth.defects}
    for defect in truth.defects:
        if defect.surface == "lining":
            heights[defect.label].append(defect.z_m)
    for seen in found:
        assert seen.model.name == "tunnel"
        assert seen.lining is not None
        assert seen.line is not None
        assert seen.severity is None or seen.severity.rule == "wegewart-tunnel-1"
        assert min(abs(seen.lining.height_m - z) for z in heights[seen.defect_class]) < 1.0
    surfaces = {
        event["data"].get("surface", "road")
        for line in out.read_bytes().splitlines()
        if (event := json.loads(line))["type"] == "wegewart.coverage.v1"
    }
    assert surfaces == {"road", "lining"}
