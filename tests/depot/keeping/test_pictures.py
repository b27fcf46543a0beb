# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures in a folder and in a real S3-compatible store keep the same promises."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time

import pytest

from depot.errors import ConfigError, StoreError
from depot.store import s3
from depot.store.picture_config import PicturesConfig, S3Config
from depot.store.picture_store import open_pictures
from depot.store.pictures import PictureFolder
from depot.store.s3 import PictureBucket
from tests.depot.keeping.bucket import BUCKET, seaweed


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


CONTENT = b"\xff\xd8" + bytes(range(256)) * 200
NAME = sha(CONTENT)


@pytest.fixture(scope="module")
def weed(tmp_path_factory):
    with seaweed(tmp_path_factory.mktemp("weed")) as store:
        yield store


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.integration)])
def pictures(request, tmp_path):
    if request.param == "folder":
        return PictureFolder(tmp_path / "pictures")
    store = PictureBucket(request.getfixturevalue("weed").config)
    store.remove(NAME)
    return store


def test_what_was_kept_is_read_and_what_was_removed_is_gone(pictures):
    assert pictures.read(NAME) is None
    pictures.keep(NAME, CONTENT)
    assert pictures.read(NAME) == CONTENT
    pictures.remove(NAME)
    assert pictures.read(NAME) is None


def test_everything_may_be_done_twice(pictures):
    for _ in range(2):
        pictures.keep(NAME, CONTENT)
    assert pictures.read(NAME) == CONTENT
    for _ in range(2):
        pictures.remove(NAME)


def test_a_picture_of_many_megabytes_comes_back_whole(pictures):
    content = os.urandom(12_000_000)
    pictures.keep(sha(content), content)
    assert pictures.read(sha(content)) == content
    pictures.remove(sha(content))


def test_many_writers_at_once_do_not_disturb_each_other(pictures):
    """Red in the folder if all write into the same file before it gets its name."""
    contents = [CONTENT] * 4 + [os.urandom(50_000) for _ in range(8)]
    failed = []

    def one(content: bytes) -> None:
        try:
            pictures.keep(sha(content), content)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=one, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for content in set(contents):
        assert pictures.read(sha(content)) == content
        pictures.remove(sha(content))


def test_a_torn_file_is_written_anew(tmp_path):
    pictures = PictureFolder(tmp_path / "pictures")
    pictures.keep(NAME, CONTENT)
    pictures.path(NAME).write_bytes(CONTENT[:100])
    pictures.keep(NAME, CONTENT)
    assert pictures.read(NAME) == CONTENT


def test_what_a_killed_writer_left_is_swept_away_and_no_running_one_is_disturbed(tmp_path):
    pictures = PictureFolder(tmp_path / "pictures")
    pictures.keep(NAME, CONTENT)
    old, running = (tmp_path / "pictures" / "new" / name for name in ("old", "running"))
    old.write_bytes(b"x")
    running.write_bytes(b"x")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    PictureFolder(tmp_path / "pictures")
    assert (old.exists(), running.exists()) == (False, True)


def test_a_disk_that_cannot_be_written_is_a_store_error_and_leaves_nothing(tmp_path, monkeypatch):
    pictures = PictureFolder(tmp_path / "pictures")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        pictures.keep(NAME, CONTENT)
    assert [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()] == []


@pytest.mark.integration
class TestBucket:
    def test_it_lies_under_the_same_name_as_in_the_folder(self, weed):
        PictureBucket(weed.config).keep(NAME, CONTENT)
        found = weed.client.get_object(BUCKET, f"depot/pictures/{NAME[:2]}/{NAME}.jpg")
        assert found.read() == CONTENT
        assert found.headers["content-type"] == "image/jpeg"
        found.release_conn()

    def test_bytes_that_are_not_those_of_the_name_are_never_given_out(self, weed):
        key = f"depot/pictures/{NAME[:2]}/{NAME}.jpg"
        wrong = CONTENT[:-1] + b"!"
        weed.client.put_object(BUCKET, key, io.BytesIO(wrong), len(wrong))
        with pytest.raises(StoreError, match="is damaged there"):
            PictureBucket(weed.config).read(NAME)

    def test_half_a_picture_is_written_anew(self, weed):
        key = f"depot/pictures/{NAME[:2]}/{NAME}.jpg"
        weed.client.put_object(BUCKET, key, io.BytesIO(CONTENT[:99]), 99)
        PictureBucket(weed.config).keep(NAME, CONTENT)
        assert PictureBucket(weed.config).read(NAME) == CONTENT

    def test_a_wrong_key_and_a_wrong_bucket_are_one_line(self, weed, tmp_path):
        (tmp_path / "secret").write_text("wrong\n")
        good = weed.config
        wrong_key = S3Config(
            endpoint=good.endpoint, bucket=BUCKET, access_key="depot", secret_key_file=tmp_path / "secret"
        )
        wrong_bucket = S3Config(
            endpoint=good.endpoint, bucket="nicht-da", access_key="depot", secret_key_file=good.secret_key_file
        )
        for config in (wrong_key, wrong_bucket):
            for ask in (lambda store: store.read(NAME), lambda store: store.keep(NAME, CONTENT)):
                with pytest.raises(StoreError) as caught:
                    ask(PictureBucket(config))
                assert "\n" not in str(caught.value)
                assert good.endpoint in str(caught.value)

    def test_a_store_that_is_down_is_a_store_error_and_a_short_outage_is_none(self, tmp_path_factory, monkeypatch):
        with seaweed(tmp_path_factory.mktemp("down")) as store:
            pictures = PictureBucket(store.config)
            pictures.keep(NAME, CONTENT)
            store.stop()
            with pytest.raises(StoreError, match="pictures in http"):
                pictures.read(NAME)
            monkeypatch.setattr(s3, "_RETRIES", s3._RETRIES.new(total=60, backoff_factor=0.5, backoff_max=1))
            patient = PictureBucket(store.config)
            found = []
            reader = threading.Thread(target=lambda: found.append(patient.read(NAME)))
            reader.start()
            store.start()
            reader.join(60)
            assert found == [CONTENT]


def test_a_bucket_that_is_not_said_whole_is_one_line(tmp_path):
    for wrong in (S3Config(), S3Config(endpoint="https://s3.test"), S3Config(bucket="b")):
        with pytest.raises(ConfigError, match=r"pictures\.s3"):
            open_pictures(PicturesConfig(store="s3", s3=wrong), folder=tmp_path)
    with pytest.raises(ConfigError, match="path"):
        open_pictures(
            PicturesConfig(store="s3", s3=S3Config(endpoint="https://s3.test/a/b", bucket="bilder")), folder=tmp_path
        )
    missing = S3Config(endpoint="https://s3.test", bucket="bilder", secret_key_file=tmp_path / "none")
    with pytest.raises(ConfigError, match=r"pictures\.s3\.secret_key_file"):
        open_pictures(PicturesConfig(store="s3", s3=missing), folder=tmp_path)
    assert isinstance(open_pictures(PicturesConfig(), folder=tmp_path), PictureFolder)
