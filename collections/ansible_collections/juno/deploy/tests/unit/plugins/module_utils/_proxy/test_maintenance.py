# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maintenance page: its files are real, the proxy is pretended."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files, maintenance
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

BASE_URL = "http://127.0.0.1:8001"


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.behind_proxy()
    return made


def show(world: World, shown: bool = True, page: str | None = None, *, dry: bool = False) -> dict:
    return maintenance.show(world.app, shown=shown, page=page, dry=dry)


def page_of(world: World) -> str:
    return files.read(os.path.join(world.app.proxy_directory, "maintenance.html"))


def test_it_is_shown_and_hidden_once(world):
    assert maintenance.is_on(world.app.proxy_directory) is False
    for shown, word in ((True, "on"), (False, "off")):
        world.log.clear()
        assert show(world, shown)["changed"] is True
        # At once, and also when the proxy restarts.
        assert world.log == [f"set map /etc/juno/maintenance.map site {word}"]
        assert maintenance.is_on(world.app.proxy_directory) is shown
        again = show(world, shown)
        assert (again["changed"], again["actions"]) == (False, [])
        assert again["msg"].endswith(", as before")
        assert len(world.log) == 1


def test_there_is_none_where_uwsgis_own_protocol_is_passed_on(world):
    files.put(files.configuration(world.app.proxy_directory), "backend app_8000\n  description uwsgi\n  mode tcp\n")
    with pytest.raises(JunoError, match="so it can show no maintenance page: let the front proxy show one"):
        show(world)
    assert world.log == []
    # One that is shown from before can be hidden.
    assert show(world, shown=False)["shown"] is False


def test_a_page_of_ones_own_is_read_by_a_new_process(world):
    result = show(world, page="<h1>Soon</h1>")
    assert (result["changed"], page_of(world)) == (True, "<h1>Soon</h1>")
    # The old process still answers on connections that were kept.
    assert world.log == ["set map /etc/juno/maintenance.map site on", "SIGUSR2 juno-edge-1"]
    assert maintenance.is_on(world.app.proxy_directory) is True
    world.log.clear()
    assert show(world, page="<h1>Soon</h1>")["changed"] is False
    assert world.log == []
    assert show(world, page="<h1>Later</h1>")["changed"] is True
    assert world.log == ["SIGUSR2 juno-edge-1"]


def test_without_a_page_given_the_one_that_is_there_stays(world):
    show(world, page="mine")
    show(world, shown=False)
    show(world)
    assert page_of(world) == "mine"


@pytest.mark.parametrize("page", [None, "new"])
def test_a_dry_run_changes_nothing(world, page):
    before = page_of(world)
    assert show(world, page=page, dry=True)["changed"] is True
    assert (world.log, page_of(world), maintenance.is_on(world.app.proxy_directory)) == ([], before, False)


@pytest.mark.parametrize("state", ["", "exited", "created", "paused"])
def test_without_a_proxy_it_says_so_and_changes_nothing(world, state):
    if state:
        world.there["juno-edge-1"]["State"] = state
    else:
        del world.there["juno-edge-1"]
    with pytest.raises(JunoError, match=r"No proxy stands before jobs.*'strategy: rolling'"):
        show(world)
    assert maintenance.is_on(world.app.proxy_directory) is False


def test_checks_go_past_a_page_that_is_shown(world):
    assert maintenance.around(world, world.app, BASE_URL) == BASE_URL
    show(world)
    address = world.there["juno-edge-1"]["address"]
    assert maintenance.around(world, world.app, BASE_URL) == f"http://{address}:17999"
    world.there["juno-edge-1"]["State"] = "exited"
    assert maintenance.around(world, world.app, BASE_URL) == BASE_URL


def test_a_proxy_that_was_never_there_shows_nothing(tmp_path):
    assert maintenance.is_on(str(tmp_path / "nosuch")) is False
