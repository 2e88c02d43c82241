# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a folder is sent: what is asked first, in which parts, and what is refused."""

from __future__ import annotations

import base64
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.plugin_utils import _files as it
from ansible_collections.juno.deploy.plugins.plugin_utils import _folder

APP = {"path": "/srv/shop", "project": "shop", "state_root": "/var/lib/juno"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "page").write_bytes(os.urandom(5000))
    return tmp_path / "shop"


@pytest.fixture
def send(folder):
    """Return what sends the folder to a host that answers as prepared, with what the host was called with."""

    def run(answer, **more):
        calls, said = [], []

        def call(args):
            calls.append(args)
            return answer if "ids" in args else {"is_whole": True}

        args = {**APP, "files": "shop", "strategy": "rolling", "remote": "origin", "branch": "main", **more}
        return it.send(args, ["", str(folder.parent)], call, said.append), calls, said

    return run


def test_a_host_that_has_all_is_sent_nothing(send, folder):
    commit, (asked,), _said = send({"missing": []})
    seen = _folder.look(str(folder))
    assert commit == seen.commit_id
    assert asked == {**APP, "commit": commit, "ids": "".join(seen.ids)}


def test_what_is_missing_is_sent_in_parts(send, folder, monkeypatch):
    monkeypatch.setattr(it, "PART_BYTES", 2000)
    monkeypatch.setattr(it, "SAY_SECONDS", -1.0)
    commit, (_asked, *parts), said = send({"missing": [0, 1, 2]})
    sent = b"".join(base64.b64decode(one["part"]) for one in parts)
    assert [one["offset"] for one in parts] == [0, 2000, 4000]
    assert {one["size"] for one in parts} == {len(sent)}
    assert {one["commit"] for one in parts} == {commit}
    assert sent[:12] == b"PACK\0\0\0\2\0\0\0\3"
    assert said == [f"sends the files: {one} of 5 kB" for one in ("0 B", "2 kB", "4 kB")]


def test_only_what_is_missing(send, folder):
    ids = _folder.look(str(folder)).ids
    _commit, (_asked, part), _said = send({"missing": [ids.index(_folder.look(str(folder)).commit_id)]})
    assert base64.b64decode(part["part"])[:12] == b"PACK\0\0\0\2\0\0\0\1"


@pytest.mark.parametrize("answer", [{"failed": True, "msg": "no room"}, {"unreachable": True, "msg": "gone"}])
def test_a_host_that_can_not_take_it(send, answer):
    with pytest.raises(it.FailedError) as caught:
        send(answer)
    assert caught.value.result == answer


@pytest.mark.parametrize("name", ["remote", "branch"])
def test_a_git_server_beside_it(send, name):
    with pytest.raises(BadInputError, match=f"'files' and '{name}' are both set"):
        send({"missing": []}, **{name: "production"})
