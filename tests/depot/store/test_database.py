# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from depot.errors import StoreError
from depot.people.audit import record
from depot.store.database import Change, Database
from depot.store.migration import migrate


def test_a_migrated_database_may_be_migrated_again(database: Database) -> None:
    with database.changing() as change:
        change.next()
    migrate(database)
    assert database.sequence() == 1


def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.changing() as change:
        _change_and_fail(change)
    assert database.sequence() == 0
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM audit").scalar_one() == 0


def _change_and_fail(change: Change) -> None:
    change.next()
    record(change.connection, utc="x", who="a", action="b", kind="c", subject=1)
    raise RuntimeError


def test_who_reads_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError), database.reading() as connection:
        record(connection, utc="x", who="a", action="b", kind="c", subject=1)


def test_changes_of_many_threads_get_each_number_once(database: Database) -> None:
    numbers: list[int] = []

    def change_often() -> None:
        for _ in range(10):
            with database.changing() as change:
                numbers.append(change.next())

    threads = [threading.Thread(target=change_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 41))
    assert database.sequence() == 40


def test_a_password_is_in_no_message() -> None:
    with pytest.raises(StoreError) as caught, Database("postgresql://me:geheim@127.0.0.1:1/x").reading():
        pass
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y"])
def test_an_address_that_is_none_is_said_in_one_line(url: str) -> None:
    with pytest.raises(StoreError, match=r"^database\.url: [^\n]*$"):
        Database(url)
