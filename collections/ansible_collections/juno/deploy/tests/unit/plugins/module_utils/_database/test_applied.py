# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of the notes of a migrating process, whole or cut off."""

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._database import applied


def one(name, stamp=1, lossy=()):
    return {"app": "jobs", "name": name, "reversible": True, "lossy": list(lossy), "atomic": True, "stamp": stamp}


def lines(*notes):
    return "".join(json.dumps(note) + "\n" for note in notes)


FOUND = {"applied": ["jobs.1"], "before": {"jobs": "1"}, "elsewhere": [], "file": True}


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("", applied.Record()),
        (lines(["found", FOUND]), applied.Record(found=FOUND)),
        (lines(["begun", one("2")]), applied.Record((one("2"),))),
        (lines(["begun", one("2")], ["done", one("2")]), applied.Record((one("2"),), (one("2"),))),
        # It was tried twice: what was recorded has the later stamp.
        (lines(["begun", one("2", 1)], ["begun", one("2", 2)]), applied.Record((one("2", 2),))),
        (lines(["begun", one("2")])[:-1] + '\n["begun", {"app"', applied.Record((one("2"),))),
        (lines(["begun", {"app": "jobs"}], ["begun"], 7, ["content", "ab"]), applied.Record(content="ab")),
    ],
)
def test_parse(text, record):
    assert applied.parse(text) == record


def test_a_run_begins_with_an_empty_file_that_the_container_can_write(tmp_path):
    app = App("/a", "jobs", "web", (), (), "", str(tmp_path))
    assert applied.read(app) == applied.Record()
    path = applied.begin(app)
    with open(path, "w", encoding="utf-8") as file:
        file.write(lines(["begun", one("2")]))
    assert applied.read(app).begun == (one("2"),)
    assert stat.S_IMODE(os.stat(applied.begin(app)).st_mode) == 0o666
    assert applied.read(app) == applied.Record()


def test_a_link_in_its_place_is_not_followed(tmp_path):
    app = App("/a", "jobs", "web", (), (), "", str(tmp_path))
    path = applied.begin(app)
    os.rename(path, path + ".other")
    os.symlink(path + ".other", path)
    with pytest.raises(OSError, match="symbolic"):
        applied.read(app)
