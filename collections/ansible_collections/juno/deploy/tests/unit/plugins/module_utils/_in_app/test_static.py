# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the in-app code makes of a manifest."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._in_app import static as it

PATHS = {"b.css": "b.2.css", "a.css": "a.1.css"}


def look(**more):
    seen = {"storage": "s", "static_root": "/r", "has_manifest": True, "paths": {}, "hash": None, "files": set()}
    return {**seen, **more}


def test_the_hash_of_a_manifest_is_taken_from_it():
    assert it.manifest_hash({"paths": PATHS, "version": "1.1", "hash": "abc"}) == "abc"


def test_a_manifest_of_old_django_gets_the_hash_that_new_django_would_write():
    # 19af... stands in the manifest that Django 4.2, 5.2 and 6.1 write for these files.
    paths = {
        "1.txt": "1.11090ab3a6bd.txt",
        "10.txt": "10.82521298206a.txt",
        "2.txt": "2.a65d6fcd3630.txt",
        "3.txt": "3.9a53af4bf032.txt",
        "4.txt": "4.23f30441ff94.txt",
        "5.txt": "5.c3b5a41312d2.txt",
        "6.txt": "6.1e271a7aaf25.txt",
        "7.txt": "7.bab9c5a34c8f.txt",
        "8.txt": "8.5f09cb991946.txt",
        "9.txt": "9.4e6806eab412.txt",
        "a.css": "a.b4f0ca71d851.css",
    }
    backwards = dict(reversed(paths.items()))
    assert it.manifest_hash({"paths": backwards, "version": "1.0"}) == "19af09db51a0"


def test_compare():
    before = look(paths={"a": "a.1", "b": "b.1"}, hash="x", files={"a", "b"})
    after = look(paths={"a": "a.2", "c": "c.1"}, hash="y", files={"a", "c", "d"})
    result = it.compare(before, after)
    assert result["entries"] == [["a", "a.1", "a.2"], ["b", "b.1", None], ["c", None, "c.1"]]
    assert (result["added"], result["removed"]) == (2, 1)
    assert (result["manifest_hash_before"], result["manifest_hash_after"]) == ("x", "y")


def test_file_names(tmp_path):
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("")
    (tmp_path / "b.js").write_text("")
    (tmp_path / ".juno").mkdir()
    (tmp_path / ".juno" / "memory.0.json").write_text("")
    assert it.file_names(str(tmp_path)) == {"css/a.css", "b.js"}
    assert it.file_names(str(tmp_path / "missing")) == set()
