# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the static root remembers of earlier manifests."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_memory as it


def remembered(*manifests):
    kept = it.empty()
    changed = [it.remember(kept, digest, paths, at) for at, (digest, paths) in enumerate(manifests)]
    return kept, changed


def test_of_an_earlier_manifest_only_what_went_is_kept():
    kept, changed = remembered(
        ("one", {"a": "a.1", "b": "b.1"}),
        ("two", {"a": "a.2", "b": "b.1"}),
        ("two", {}),
        (None, {}),
        ("one", {"a": "a.1"}),
    )
    assert changed == [True, True, False, False, True]
    assert kept["newest"] == {"hash": "one", "names": ["a", "a.1"], "first": 4}
    assert kept["earlier"] == [
        {"hash": "one", "gone": ["a.1"], "first": 0, "last": 1},
        {"hash": "two", "gone": ["a.2", "b", "b.1"], "first": 1, "last": 4},
    ]
    assert kept["since"] == 0


def test_a_storage_without_a_manifest_is_remembered_once():
    kept = it.empty()
    assert it.remember(kept, None, {}, 7)
    assert not it.remember(kept, None, {}, 8)
    assert (kept["since"], kept["newest"]) == (7, None)


def test_the_memory_does_not_grow_for_ever():
    kept = it.empty()
    for number in range(it.MOST + 5):
        it.remember(kept, str(number), {"a": f"a.{number}"}, number)
    assert len(kept["earlier"]) == it.MOST
    assert kept["earlier"][-1]["gone"] == [f"a.{it.MOST + 3}"]


def save(root, kept):
    return it.save(str(root), dict(it.load(str(root)), **kept))


def test_load_what_was_saved(tmp_path):
    assert it.load(str(tmp_path)) == it.empty()
    for since in (1, 2, 3):
        assert save(tmp_path, {"since": since}) == ""
        assert it.load(str(tmp_path))["since"] == since
    assert sorted(path.name for path in (tmp_path / ".juno").iterdir()) == ["memory.0.json", "memory.1.json"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / ".juno").iterdir())


@pytest.mark.parametrize("broken", ["", "cut", "other"])
def test_one_that_is_not_whole_does_not_count(tmp_path, broken):
    save(tmp_path, {"since": 1})
    save(tmp_path, {"since": 2})
    newest = tmp_path / ".juno" / it.SLOTS[it.load(str(tmp_path))["turn"] % 2]
    text = newest.read_text()
    newest.write_text({"": "", "cut": text[:-5], "other": text.replace('"since": 2', '"since": 9')}[broken])
    assert it.load(str(tmp_path))["since"] == 1
    save(tmp_path, {"since": 3})
    assert it.load(str(tmp_path))["since"] == 3


def test_no_root_is_made_for_it(tmp_path):
    assert it.save(str(tmp_path / "root"), it.empty()) == ""
    assert not (tmp_path / "root").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_is_the_owners(tmp_path):
    os.chown(tmp_path, 1234, 1235)
    save(tmp_path, {"since": 1})
    for path in (tmp_path / ".juno", *(tmp_path / ".juno").iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def test_what_can_not_be_written_is_told(tmp_path):
    (tmp_path / ".juno").write_text("")
    assert "files of earlier releases are not remembered" in it.save(str(tmp_path), it.empty())


def test_it_is_small(tmp_path):
    kept = it.empty()
    for number in range(10):
        it.remember(kept, str(number), {f"{name}": f"{name}.{number}" for name in range(100)} | {"x": str(number)}, 0)
    save(tmp_path, kept)
    assert len(json.dumps(it.load(str(tmp_path)))) < 20_000


def test_no_link_is_followed(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for one in (root, outside):
        one.mkdir()
    memory = dict(it.empty(), since=1.0)
    (root / it.FOLDER).symlink_to(outside)
    assert it.save(str(root), memory).endswith("files of earlier releases are not remembered")
    assert list(outside.iterdir()) == []
    (root / it.FOLDER).unlink()
    (outside / "shadow").write_text("root")
    (root / it.FOLDER).mkdir()
    for slot in it.SLOTS:
        (root / it.FOLDER / slot).symlink_to(outside / "shadow")
    assert "can't be written" in it.save(str(root), memory)
    assert (outside / "shadow").read_text() == "root"
    assert it.load(str(root)) == it.empty()
