# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When old workers end at once, and when they stay until the new ones are there."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import gunicorn, gunicorn_reload
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._switch import reload
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.back_in_git()
    made.begun()
    made.add("web-1")
    return made


@pytest.fixture
def reloads(monkeypatch):
    """Keep with what the gunicorns were reloaded; each has three workers."""
    seen = []

    def find(_client, containers):
        return [gunicorn_reload.Master(one, 120, frozenset({121, 122, 123}), ("gunicorn",)) for one in containers]

    def keep(_client, masters, _seconds, at_once, *, all_new):
        seen.append(([one.container.name for one in masters], at_once, all_new))

    monkeypatch.setattr(gunicorn_reload, "find", find)
    monkeypatch.setattr(gunicorn_reload, "reload", keep)
    monkeypatch.setattr(
        gunicorn_reload, "why_at_once", lambda _c, one, count: "" if len(one.old) == count else "a broken one"
    )
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _containers, **_more: "")
    return seen


def start(world):
    work = world.work("reload")
    reload.start_new_workers(work, work.old, world.commits[0])
    return work


def test_the_number_of_workers_is_written_down_first(world, reloads):
    start(world)
    assert reloads == [(["web-1"], {}, True)]
    assert world.newest().gunicorn_workers == {"web-1": 3}


def test_where_static_files_changed_the_first_new_worker_is_enough(world, reloads):
    journal.note_fields(world.app.journal, collected=True)
    start(world)
    assert reloads == [(["web-1"], {}, False)]


def test_changed_settings_are_read_on_hup(world, reloads, monkeypatch):
    changes = [diff.Change("conf/gunicorn.conf.py", "M", ("100644", "100644"))]
    monkeypatch.setattr(diff, "changes", lambda *_any: changes)
    work = start(world)
    (notice,) = work.notices
    assert notice.endswith("ready (HUP): conf/gunicorn.conf.py changed, which it reads on HUP.")
    assert reloads[0][1] == {"web-1": "conf/gunicorn.conf.py changed, which it reads on HUP"}


@pytest.mark.parametrize(
    ("counts", "at_once"), [({}, {}), ({"web-1": 3}, {}), ({"web-1": 2}, {"web-1": "a broken one"})]
)
def test_the_undo_puts_the_number_right(world, reloads, counts, at_once):
    work = world.work("reload")
    reload.renew_workers(work, work.old, counts)
    assert reloads == [(["web-1"], at_once, False)]
