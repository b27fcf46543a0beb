# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The repository over real HTTP: resumed downloads, nothing but its files, the real client of The Update Framework."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from tuf.ngclient import Updater

from depot.app import make_app
from depot.config import Config
from depot.people.config import PeopleConfig
from depot.services import Services
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.pictures import PictureFolder
from depot.updates.config import UpdatesConfig
from depot.updates.files import find
from tests.depot.updates.made import MadeRepository, repository
from tests.servers import HOST, free_port, wait_until

CONTENT = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeRepository:
    folder = tmp_path_factory.mktemp("updates")
    found = repository(folder / "repository")
    found.add("2026.11.2", 2, model=CONTENT)
    found.publish()
    (folder / "secret.json").write_text("{}")
    (found.folder / "draft").mkdir()
    (found.folder / "draft" / "targets.json").write_text("{}")
    return found


@pytest.fixture(scope="module")
def url(made: MadeRepository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole depot, where nobody is logged in."""
    folder = tmp_path_factory.mktemp("depot")
    database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
    migrate(database)
    config = Config(people=PeopleConfig(), updates=UpdatesConfig(repository=made.folder))
    app = make_app(Services(config, database, PictureFolder(folder), lambda: "connected", lambda: True))
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=(port := free_port()), log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, timeout_s=20, what="the depot")
    yield f"http://{HOST}:{port}/updates"
    server.should_exit = True
    thread.join(10)
    database.close()


@pytest.fixture
def model(made: MadeRepository) -> str:
    """Path of the large file."""
    (path,) = [path for path in (made.folder / "targets" / "models").iterdir() if path.stat().st_size == len(CONTENT)]
    return f"targets/models/{path.name}"


def test_a_file_comes_whole_with_what_a_cache_needs(url: str, model: str) -> None:
    answer = httpx.get(f"{url}/{model}")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "set-cookie" not in answer.headers
    again = httpx.get(f"{url}/{model}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = httpx.head(f"{url}/{model}")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(CONTENT)), b"")


def test_metadata_is_asked_for_anew_each_time(url: str) -> None:
    for name in ("timestamp.json", "1.root.json", "2.snapshot.json"):
        answer = httpx.get(f"{url}/metadata/{name}")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert answer.json()["signed"]


def test_a_download_that_broke_off_goes_on_where_it_ended(url: str, model: str) -> None:
    got = b""
    with httpx.stream("GET", f"{url}/{model}") as answer:
        etag = answer.headers["etag"]
        for piece in answer.iter_raw():
            got += piece
            if len(got) > 500_000:
                break  # the connection ends here
    while len(got) < len(CONTENT):  # and again and again, some bytes at a time
        wanted = {"Range": f"bytes={len(got)}-{len(got) + 700_000}", "If-Range": etag}
        answer = httpx.get(f"{url}/{model}", headers=wanted)
        assert answer.status_code == 206
        end = len(got) + len(answer.content) - 1
        assert answer.headers["content-range"] == f"bytes {len(got)}-{end}/{len(CONTENT)}"
        got += answer.content
    assert got == CONTENT


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=-99999999", 206, slice(0, None)),
        ("bytes=2999990-", 206, slice(2_999_990, None)),
        ("bytes=2999990-9999999999", 206, slice(2_999_990, None)),
        ("bytes=3000000-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
        ("bytes=5-2", 200, slice(0, None)),
        ("bytes=0-1,5-6", 200, slice(0, None)),
        ("bytes=-", 200, slice(0, None)),
        ("lines=1-2", 200, slice(0, None)),
        ("bytes=1-" + "9" * 40, 200, slice(0, None)),
    ],
)
def test_a_part_is_what_was_asked_for(url: str, model: str, asked: str, status: int, part: slice) -> None:
    answer = httpx.get(f"{url}/{model}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, CONTENT[part])
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


def test_a_part_of_what_has_changed_meanwhile_is_not_given(url: str, made: MadeRepository) -> None:
    path = made.folder / "metadata" / "changing.json"
    path.write_text('"before"')
    etag = httpx.get(f"{url}/metadata/changing.json").headers["etag"]
    path.with_suffix(".new").write_text('"after!"')
    path.with_suffix(".new").replace(path)
    wanted = {"Range": "bytes=3-", "If-Range": etag}
    answer = httpx.get(f"{url}/metadata/changing.json", headers=wanted)
    assert (answer.status_code, answer.text) == (200, '"after!"')


TRICKS = [
    "", "metadata", "metadata/", "targets/models/", "draft/targets.json", "../secret.json",
    "metadata/../../secret.json",
    "metadata/%2e%2e/%2e%2e/secret.json", "metadata/..%2f..%2fsecret.json", "metadata//timestamp.json",
    "/metadata/timestamp.json", "metadata/./timestamp.json", "metadata/timestamp.json%00", "metadata/timestamp.json/",
    "metadata%5ctimestamp.json", "targets/link.json", "targets/away/secret.json", "targets/pipe.json",
    "metadata/.hidden.json", "targets/" + "a/" * 50 + "b", "metadata/" + "a" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
def test_no_path_leads_anywhere_else(url: str, made: MadeRepository, path: str) -> None:
    targets = made.folder / "targets"
    for name, where in (("link.json", made.folder.parent / "secret.json"), ("away", made.folder.parent)):
        if not (targets / name).is_symlink():
            (targets / name).symlink_to(where)
    if not (targets / "pipe.json").exists():
        os.mkfifo(targets / "pipe.json")
    (made.folder / "metadata" / ".hidden.json").write_text("{}")
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=10)  # sends the path as it is
    connection.request("GET", f"/updates/{path}")
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"detail" in answer.read()
    connection.close()


def test_whoever_leaves_in_the_middle_leaves_no_file_open(url: str, model: str) -> None:
    port = httpx.URL(url).port
    for _ in range(5):
        with socket.create_connection((HOST, port)) as client:
            client.sendall(f"GET /updates/{model} HTTP/1.1\r\nHost: depot\r\n\r\n".encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
    wait_until(lambda: not any("street" in name for name in _open_files()), what="all closed")


def _open_files() -> Iterator[str]:
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            yield str(link.readlink())


def test_only_reading_is_possible(url: str) -> None:
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        assert httpx.request(method, f"{url}/metadata/timestamp.json").status_code == 405


def test_without_a_repository_there_is_nothing(tmp_path: Path) -> None:
    assert find(tmp_path / "none", "metadata/timestamp.json") is None


def test_the_client_of_the_update_framework_takes_a_release(url: str, made: MadeRepository, tmp_path: Path) -> None:
    root = (made.folder / "metadata" / "1.root.json").read_bytes()
    (tmp_path / "metadata").mkdir()
    (tmp_path / "targets").mkdir()
    updater = Updater(
        str(tmp_path / "metadata"),
        f"{url}/metadata/",
        target_dir=str(tmp_path / "targets"),
        target_base_url=f"{url}/targets/",
        bootstrap=root,
    )
    updater.refresh()
    about = updater.get_targetinfo("models/street-0.3.0-3f3f3f3f.tar.gz")
    assert about is not None
    assert Path(updater.download_target(about)).read_bytes() == CONTENT
