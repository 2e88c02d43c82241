# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of files that nobody has put anywhere yet, of a real folder."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git import sent_pack
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan_text
from ansible_collections.juno.deploy.plugins.module_utils._release import begin
from ansible_collections.juno.deploy.plugins.plugin_utils import _folder
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs


@pytest.fixture
def look(tmp_path):
    """Return what looks at an app whose files have been sent, with its directory."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "shop" / "page").write_text("text\n")
    found = _folder.look(str(tmp_path / "shop"))
    with open(tmp_path / "pack", "wb") as pack:
        found.pack(found.ids, pack)
    path = tmp_path / "srv"
    app = app_app.App(str(path), "shop", "web", (), (), "", str(tmp_path / "state"))

    def run():
        part = (tmp_path / "pack").read_bytes()
        sent_pack.store(app, found.commit_id, base64.b64encode(part).decode(), 0, len(part))
        return begin.look_only(run_command, app, specs.release(files=found.commit_id))

    return run, path, found.commit_id[:12]


def lines(found):
    return plan_text.lines(found, plan_text.PlanContext("deploy"))


def test_nothing_is_there(look):
    run, path, commit = look
    found = run()
    assert (found["changed"], found["begun"]) == (True, False)
    text = " ".join(" ".join(lines(found)).split())
    assert text.startswith(
        f"Commit: {commit} 2 files, 18 B Deploy: yes, {path} gets 2 files Build: yes, nothing of it is on this host "
        "yet Switch: rolling Notice: The rest of the plan needs the files where docker compose reads them"
    )
    assert not path.exists()


def test_some_is_there(look):
    run, path, _commit = look
    path.mkdir()
    (path / "page").write_text("text\n")
    assert "gets 2 files (1 of them is there already)" in " ".join(" ".join(lines(run())).split())
    (path / "page").write_text("mine\n")
    with pytest.raises(BadInputError, match="under the same names: page; nothing was overwritten"):
        run()
    assert sorted(one.name for one in path.iterdir()) == ["page"]
