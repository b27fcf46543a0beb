# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicles' own detector in its confined process, and what happens when there is none."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from depot.reports import confined
from depot.reports.config import ReportsConfig
from depot.reports.detector import DetectorError, EdgeDetector, UnreadableError
from tests.depot.reports.conftest import jpeg
from tests.servers import missing

pytestmark = pytest.mark.integration


@pytest.fixture
def real() -> EdgeDetector:
    try:
        import onnxruntime  # noqa: F401 - only whether the extra "edge" is there
    except ImportError:
        missing("onnxruntime is not installed (pip install wegewart[edge])")
    return EdgeDetector(ReportsConfig())


def test_a_photo_is_judged_and_what_is_kept_has_no_exif(real: EdgeDetector) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Fernsprech AG"
    judged = real.judge(jpeg(size=(640, 480), exif=exif.tobytes()), (0.25, 0.25, 0.75, 0.75))
    assert (judged.width, judged.height) == (640, 480)
    assert judged.kept is not None
    kept = Image.open(io.BytesIO(judged.kept.jpeg))
    assert kept.size == (judged.kept.width, judged.kept.height)
    assert not dict(kept.getexif())
    assert b"Fernsprech" not in judged.kept.jpeg


def test_a_photo_lying_on_its_side_is_turned_as_its_exif_says(real: EdgeDetector) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    judged = real.judge(jpeg(size=(640, 480), exif=exif.tobytes()))
    assert (judged.width, judged.height) == (480, 640)


@pytest.mark.parametrize(
    "photo",
    [b"", b"GIF89a", jpeg()[:200], b"\xff\xd8\xff" + bytes(100), b"RIFF\x00\x00\x00\x00WEBP"],
    ids=["nothing", "gif", "cut off", "rubbish", "empty webp"],
)
def test_what_is_no_picture_is_the_senders_fault(real: EdgeDetector, photo: bytes) -> None:
    with pytest.raises(UnreadableError, match="the picture "):
        real.judge(photo)


def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked() -> None:
    small = EdgeDetector(ReportsConfig(most_megapixels=1))
    with pytest.raises(UnreadableError, match="more than 1 megapixels"):
        small.judge(jpeg(size=(1100, 1000)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"detector": ("/nowhere/wegewart-edge",)}, r"failed \(127\): /nowhere/wegewart-edge: No such file"),
        ({"detector": ("/bin/false",)}, r"failed \(1\): it says nothing"),
        ({"detector": ("/bin/echo",)}, "answer is not understood"),
        ({"detector": ("/bin/sh", "-c", "exec sleep 60"), "timeout_s": 1.0}, "no answer within 1 s"),
        ({"model": "moon"}, r"failed \(4\): .*moon"),
    ],
)
def test_what_is_our_fault_is_told_in_one_line(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(DetectorError, match=told) as error:
        EdgeDetector(ReportsConfig(**settings)).judge(jpeg())
    assert "\n" not in str(error.value)


def run_confined(code: str) -> str:
    command = [sys.executable, "-I", "-S", confined.__file__, "1000000000", "20", sys.executable, "-I", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_the_confined_process_can_write_no_file_and_has_bounds(tmp_path: Path) -> None:
    target = tmp_path / "out"
    told = run_confined(
        "import resource as r\n"
        f"file = open({str(target)!r}, 'wb', buffering=0)\n"
        "try: file.write(b'x'); print('written')\n"
        "except OSError: print('refused')\n"
        "print([r.getrlimit(what)[0] for what in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_CORE)])"
    )
    first, limits = told.splitlines()
    assert first == "refused"
    assert ast.literal_eval(limits) == [1_000_000_000, 20, 0]
    assert not target.stat().st_size


def test_the_confined_process_has_no_network_where_the_kernel_allows_that() -> None:
    allowed = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
    interfaces = ast.literal_eval(run_confined("import socket; print([name for _, name in socket.if_nameindex()])"))
    if not allowed:
        pytest.skip("this kernel lets no ordinary user take the network away")
    assert interfaces == ["lo"]
