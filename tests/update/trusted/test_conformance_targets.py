# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Our tests for the public suite's downloads, delegations and role names; docs/tuf_conformance.md lists them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from tuf.api.metadata import Targets

from tests.update.trusted.simulator import NOW, Repository
from tests.update.trusted.suite import Driven, make

TOP = {"root", "timestamp", "snapshot", "targets"}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    yield from make(tmp_path, monkeypatch)


def replace_served(repository: Repository, content: bytes) -> None:
    """The server gives something else for every target."""
    for name in list(repository.files):
        if name.startswith("targets/"):
            repository.files[name] = content


@pytest.mark.parametrize("name", ["file.txt", "path/to/a/file.txt"])
def test_a_target_is_downloaded_only_when_it_is_asked_for(client: Driven, name: str) -> None:
    """Cases test_client_downloads_expected_file and test_client_downloads_expected_file_in_sub_dir."""
    client.repository.add(name, b"content")
    client.repository.publish_all()
    assert client.init()
    assert client.refresh()
    assert client.downloaded() == []
    assert client.download(name)
    assert client.downloaded() == [b"content"]


def test_a_target_that_is_there_is_not_downloaded_again(client: Driven) -> None:
    """CLIENT-CLI.md: artifacts are cached by their hashes (test_artifact_cache where the suite has it)."""
    client.repository.add("file", b"content")
    client.repository.publish_all()
    assert client.init()
    assert client.download("file")
    assert client.download("file")
    assert len(client.asked_targets()) == 1


def test_a_target_exchanged_at_the_server_is_refused(client: Driven) -> None:
    """Case test_repository_substitutes_target_file."""
    client.repository.add("one", b"good one")
    client.repository.add("two", b"good two")
    client.repository.publish_all()
    assert client.init()
    assert client.download("one")
    replace_served(client.repository, b"evil two")
    client.download("one")
    assert not client.download("two")
    assert client.downloaded() == [b"good one"]


def test_a_target_that_changes_often_is_always_the_signed_one(client: Driven) -> None:
    """Case test_multiple_changes_to_target."""
    client.repository.add("file", b"first")
    client.repository.publish_all()
    assert client.init()
    assert client.download("file")
    for number in range(11):
        content = b"%d" % number
        client.repository.add("file", content)
        client.repository.publish_all()
        if number % 5 == 0:
            assert client.download("file")
            assert client.downloaded() == [content]
            honest = dict(client.repository.files)
            replace_served(client.repository, b"evil")
            client.download("file")
            assert client.downloaded() == [content]
            client.repository.files.update(honest)


@pytest.mark.parametrize("algorithms", [("sha256",), ("sha512",), ("sha256", "sha512")])
def test_hashes_of_both_lengths_are_understood(client: Driven, algorithms: tuple[str, ...]) -> None:
    """Case test_download_with_hash_algorithms."""
    client.repository.add("file", b"content", algorithms=algorithms)
    client.repository.publish_all()
    assert client.init()
    assert client.download("file")
    digests = client.repository.targets.targets["file"].hashes.values()
    assert client.asked_targets()[0] in [f"{digest}.file" for digest in digests]
    assert client.downloaded() == [b"content"]


def test_a_hash_that_nobody_knows_is_refused(client: Driven) -> None:
    """Case test_download_with_unknown_hash_algorithm."""
    client.repository.add("file", b"content", algorithms=("sha512",))
    hashes = client.repository.targets.targets["file"].hashes
    hashes["unknown"] = hashes.pop("sha512")
    client.repository.publish_all()
    assert client.init()
    assert not client.download("file")
    assert client.downloaded() == []


#: Edges "parent>child", "!" ends the search there, ":pattern" limits it; then the roles in the order of the search.
GRAPHS = {
    "basic-delegation": ("targets>A", "A"),
    "single-level-delegations": ("targets>A targets>B", "AB"),
    "two-level-delegations": ("targets>A targets>B B>C", "ABC"),
    "two-level-test-DFS-order-of-traversal": ("targets>A targets>B A>C A>D", "ACDB"),
    "three-level-delegation-test-DFS-order-of-traversal": ("targets>A targets>B A>C C>D", "ACDB"),
    "two-level-terminating-ignores-all-but-roles-descendants": ("targets>A targets>B A>C! A>D", "AC"),
    "three-level-terminating-ignores-all-but-roles-descendants": ("targets>A targets>B A>C! C>D", "ACD"),
    "two-level-ignores-all-branches-not-matching-paths": ("targets>A:*.py targets>B A>C", "B"),
    "three-level-ignores-all-branches-not-matching-paths": ("targets>A targets>B A>C:*.py C>D", "AB"),
    "cyclic-graph": ("targets>A targets>B B>C C>D D>B", "ABCD"),
    "two-roles-delegating-to-a-third": ("targets>A targets>B B>C A>C", "ACB"),
    "two-roles-delegating-to-a-third-different-paths": ("targets>A targets>B B>C A>C:*.py", "ABC"),
}


def delegate(repository: Repository, edges: str) -> None:
    """Delegate and publish; a role that two others name has a key of each."""
    for edge in edges.split():
        parent, _, rest = edge.partition(">")
        child, _, pattern = rest.partition(":")
        repository.delegate(parent, child.rstrip("!"), (pattern or "*",), terminating=child.endswith("!"))
    repository.publish(*sorted(set(repository.roles) - TOP))
    repository.publish_all()


@pytest.mark.parametrize("case", GRAPHS)
def test_delegations_are_searched_depth_first_in_their_order(client: Driven, case: str) -> None:
    """Case test_graph_traversal."""
    edges, order = GRAPHS[case]
    delegate(client.repository, edges)
    assert client.init()
    assert client.refresh()
    client.server.asked.clear()
    assert not client.download("nobody has it")
    assert client.asked()[2:] == [(role, 1) for role in order]


@pytest.mark.parametrize(
    ("name", "found", "order"),
    [
        ("file", True, ""),
        ("README.md", True, "A"),
        ("releases/x/x_v1", True, "BC"),
        ("releases/y/y_v1.zip", True, "BD"),
        ("releases/z/z_v1.zip", False, "B"),
    ],
)
def test_a_target_is_found_only_along_paths_that_were_delegated(
    client: Driven, name: str, found: bool, order: str
) -> None:
    """Case test_targetfile_search."""
    repository = client.repository
    repository.delegate("targets", "A", ("*.doc", "*.md"))
    repository.delegate("targets", "B", ("releases/*/*",))
    repository.delegate("B", "C", ("releases/x/*",))
    repository.delegate("B", "D", ("releases/y/*.zip",))
    for role, path in [("targets", "file"), ("A", "README.md"), ("C", "releases/x/x_v1"), ("D", "releases/y/y_v1.zip")]:
        repository.add(path, path.encode(), role=role)
    repository.add("releases/z/z_v1.zip", b"z", role="D")
    repository.publish("A", "B", "C", "D", "targets", "snapshot", "timestamp")
    assert client.init()
    assert client.refresh()
    client.server.asked.clear()
    assert client.download(name) == found
    assert client.asked()[2:] == [(role, 1) for role in order]
    assert client.downloaded() == ([name.encode()] if found else [])


@pytest.mark.parametrize("role", ["?", "#", "/delegatedrole", "../delegatedrole"])
def test_strange_role_names_are_quoted_in_requests_and_files(client: Driven, role: str) -> None:
    """Case test_unusual_role_name."""
    delegate(client.repository, f"targets>{role}")
    assert client.init()
    assert not client.download("nobody has it")
    assert (quote(role, ""), 1) in client.asked()
    assert len(client.versions()) == 5


def test_names_without_versions_are_asked_for_where_the_root_says_so(tmp_path: Path, client: Driven) -> None:
    """Case test_TestDelegateConsistentSnapshotDisabled (of earlier versions of the suite)."""
    client.repository.root.consistent_snapshot = False
    client.repository.publish("root")
    delegate(client.repository, "targets>role1 targets>.. targets>.")
    assert client.init()
    assert client.refresh()
    assert not client.download("nobody has it")
    asked = client.asked()
    assert {("snapshot", None), ("targets", None), ("role1", None), ("..", None), (".", None)} <= set(asked)
    assert len(client.versions()) == 7


@pytest.fixture
def delegated(client: Driven) -> Targets:
    """A role whose two targets nobody else has, for seven days."""
    client.repository.delegate("targets", "delegated", ("part/*",))
    role: Targets = client.repository.roles["delegated"]
    role.expires = NOW + timedelta(days=7)
    client.repository.add("part/first", b"first", role="delegated")
    client.repository.add("part/second", b"second", role="delegated")
    return role


def test_a_delegated_role_that_is_expired_is_not_used(client: Driven, delegated: Targets) -> None:
    """Case test_delegated_targets_expired."""
    delegated.expires = NOW - timedelta(days=1)
    client.repository.publish("delegated", "targets", "snapshot", "timestamp")
    assert client.init()
    assert client.refresh()
    assert not client.download("part/first")
    assert client.downloaded() == []
    assert set(client.versions()) == TOP


@pytest.mark.parametrize("renewed", [False, True])
def test_a_delegated_role_that_expired_here_must_be_renewed(client: Driven, delegated: Targets, renewed: bool) -> None:
    """Cases test_expired_local_delegated_targets and test_expired_local_delegated_targets_updates."""
    client.repository.publish("delegated", "targets", "snapshot", "timestamp")
    assert client.init()
    assert client.download("part/first")
    if renewed:
        delegated.expires = NOW + timedelta(days=21)
        client.repository.publish("delegated", "snapshot", "timestamp")
    client.later(18)
    assert client.download("part/second") == renewed
    assert client.downloaded() == ([b"first", b"second"] if renewed else [b"first"])


def test_a_role_that_was_stored_is_verified_against_who_delegates_to_it_now(client: Driven) -> None:
    """Case test_cached_role_is_verified_against_current_delegator (python-tuf's expected failure)."""
    repository = client.repository
    repository.delegate("targets", "A", ("a/*",))
    repository.delegate("targets", "C", ("c/*",))
    repository.delegate("A", "C", ("a/*",))
    only_a = repository.signers["C"].pop()  # the key that A names for C
    repository.add("a/file", b"a", role="C")
    repository.add("c/file", b"c", role="C")
    repository.publish("A", "C", "targets", "snapshot", "timestamp")
    assert only_a.public_key.keyid not in repository.served["C"][-1].decode()
    assert client.init()
    assert client.download("c/file")
    assert not client.download("a/file"), "A's keys have not signed it"
    assert client.downloaded() == [b"c"]
