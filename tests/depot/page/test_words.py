# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every word that the page says is there, in both languages, and no word is there for nothing."""

from __future__ import annotations

import re
from pathlib import Path

from depot.cases.kinds import KINDS
from depot.describing.words import class_name

STATIC = Path(__file__).resolve().parents[3] / "depot" / "web" / "static"
#: Words whose keys the page puts together: "state_" + state.
_MADE = re.compile(r"say\(`([a-z_]*)\$\{")
_SAID = re.compile(r'say\(\s*"([a-z_A-Z0-9]+)"')


def words() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((STATIC / "words").glob("*.js")):
        for key, german, english in re.findall(
            r'(\w+): \[\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)",?\s*\]', path.read_text(encoding="utf-8")
        ):
            assert key not in found, f"{key} stands twice"
            found[key] = (german, english)
    return found


def sources() -> str:
    files = [path for path in STATIC.rglob("*.js") if path.parent.name != "words"]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*files, STATIC / "index.html"])


def test_every_word_that_is_said_is_there():
    known, source = words(), sources()
    said = set(_SAID.findall(source)) | set(re.findall(r'data-t(?:-label)?="(\w+)"', source))
    assert said - known.keys() == set()
    assert len(said) > 200
    for prefix in _MADE.findall(source):
        assert any(key.startswith(prefix) for key in known), prefix


def test_both_languages_fill_in_the_same_values():
    for key, (german, english) in words().items():
        assert set(re.findall(r"\{\w+\}", german)) == set(re.findall(r"\{\w+\}", english)), key
        assert german, key
        assert english, key


def test_no_word_is_there_for_nothing():
    source = sources()
    made = {prefix for prefix in _MADE.findall(source) if prefix}
    quoted = set(re.findall(r'"(\w+)"', source))
    unused = {key for key in words() if key not in quoted and not any(key.startswith(prefix) for prefix in made)}
    assert unused == set()


def test_classes_are_called_as_in_the_texts_and_the_page_offers_those_that_the_depot_takes():
    known = words()
    for label in {"unclear", *KINDS["road"], *KINDS["lining"]}:
        assert known[f"class_{label}"] == (class_name(label, "de"), class_name(label, "en"))
    offered = re.search(
        r"const KINDS = \{(.*?)\};", (STATIC / "review" / "deciding.js").read_text(encoding="utf-8"), re.DOTALL
    )
    assert offered
    for surface, labels in KINDS.items():
        line = re.search(rf"{surface}: \[(.*?)\]", offered[1])
        assert line
        assert sorted(re.findall(r'"(\w+)"', line[1])) == sorted(labels)
