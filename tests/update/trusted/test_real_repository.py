# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the workshop's `scripts/release` makes is what vehicles take."""

from __future__ import annotations

from pathlib import Path

from edge.config_update import UpdateConfig
from edge.update.trusted import fetch
from tests.update.trusted.conftest import Vehicle
from tests.update.trusted.web_server import serving
from tests.workshop.release import desk


def test_releases_of_the_workshop_are_fetched_and_taken_one_after_the_other(tmp_path: Path) -> None:
    desk.begin(tmp_path)
    repository = tmp_path / "repo"
    root = (repository / "metadata" / "1.root.json").read_bytes()
    vehicle, into = Vehicle(tmp_path / "vehicle", root, desk.NOW), tmp_path / "incoming"
    for number in (1, 2):
        made = desk.add(tmp_path, number)
        desk.out(tmp_path)
        files = {path.relative_to(repository).as_posix(): path.read_bytes() for path in repository.rglob("*.*")}
        held = {path.name for path in vehicle.cache.iterdir()} if number == 2 else set()
        with serving(files) as server:
            config = UpdateConfig(repository=server.address, bytes_per_s=0)
            more = {"machine": "aarch64", "python": "3.13", "now": desk.NOW, "root": root, "held": held}
            assert fetch(config, wanted=made.id, into=into, **more).complete
            fetched = [name for name in server.names() if name.startswith(("targets/wheels", "targets/models"))]
        assert len(fetched) == (3 if number == 1 else 1), "the second shares a wheel and the model with the first"
        verified = vehicle.open(into)
        assert verified.release(made.id) == made
        assert [verified.fetch(file).stat().st_size for file in made.variants[0].wheels] == [5, 6000]
        assert verified.fetch(made.models[0].file).read_bytes() == b"street"
    assert vehicle.take(repository, made.id), "the repository itself is a bundle too"
