# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files that go along from one image's container to the next: which, and how they are packed.

With real containers it is in molecule/volumes.
"""

from __future__ import annotations

import io
import json
import tarfile

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._runtime import copy_static as it
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry

DONE = [Entry(number=number, outcome="done") for number in (1, 2, 4)] + [Entry(number=3, outcome="failed")]
RULES = {"keep_releases": 2, "html_max_age": 3600, "prune": True}


def archive(files: dict[str, str], folders: tuple[str, ...] = ("static",)) -> io.BytesIO:
    """Pack files as the Engine gives a folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as packed:
        for name in folders:
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.uid = tarfile.DIRTYPE, 0o750, 7
            packed.addfile(member)
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.uid = len(text), 7
            packed.addfile(member, io.BytesIO(text.encode()))
    made.seek(0)
    return made


@pytest.mark.parametrize(
    ("named", "rules", "kept"),
    [
        # Of the newest two good releases, 2 and 4.
        ({"a": (1, 0), "b": (2, 0), "c": (4, 0)}, RULES, ["b", "c"]),
        # A browser may still hold a page that names it.
        ({"a": (1, 9_000), "b": (1, 5_000)}, RULES, ["a"]),
        ({"a": (1, 0)}, {**RULES, "prune": False}, ["a"]),
        ({"a": (1, 0), "b": (4, 0)}, {**RULES, "keep_releases": 0}, ["b"]),
    ],
)
def test_which_files_go_along(named, rules, kept):
    known = {name: it.Named(*one) for name, one in named.items()}
    assert sorted(it.kept_names(known, DONE, rules, 10_000)) == kept


def test_only_what_is_wanted_is_packed_with_the_folders_that_are_missing():
    files = {"static/css/a.1.css": "old", "static/css/b.css": "plain", "static/js/c.2.js": "x"}
    packed = io.BytesIO()
    wanted = {"css/a.1.css", "js/c.2.js"}
    folders = ("static", "static/css", "static/js")
    count = it._pack(archive(files, folders), wanted, "code/static", {"", "js"}, packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as found:
        names = [(one.name, one.isdir(), one.uid) for one in found]
        content = found.extractfile("code/static/css/a.1.css").read()
    assert count == 2
    assert names == [
        ("code/static/css", True, 7),
        ("code/static/css/a.1.css", False, 7),
        ("code/static/js/c.2.js", False, 7),
    ]
    assert content == b"old"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (json.dumps({"paths": {"a.css": "a.1.css", "b.css": 3}}), ["a.1.css"]),
        (json.dumps([]), []),
        ("{", []),
    ],
)
def test_names_of_a_manifest(text, named):
    assert (
        it._manifest(
            archive({"static/sub/staticfiles.json": "{}", "static/staticfiles.json": text}), "staticfiles.json"
        )
        == named
    )


def test_a_link_in_the_archive_is_no_file():
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as packed:
        member = tarfile.TarInfo("static/a.1.css")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(member)
    assert it._pack(made, {"a.1.css"}, "static", set(), io.BytesIO()) == 0


def test_more_than_is_bearable_is_not_gone_through(monkeypatch):
    monkeypatch.setattr(it, "MOST_BYTES", 5)
    with pytest.raises(it.TooLargeError):
        io.BufferedReader(it._Stream(iter([b"abc", b"def"]))).read()
