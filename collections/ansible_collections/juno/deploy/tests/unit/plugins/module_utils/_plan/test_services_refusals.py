# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused because of the other services."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_refusals, services_words
from ansible_collections.juno.deploy.plugins.module_utils._plan.other_service import APART, NEEDED
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

from .some_services import CHANGED, service


def test_where_the_site_is_down_too_what_it_needs_is_started(tmp_path):
    one, app = service("db", NEEDED, "exited"), World(tmp_path).app
    services_refusals.require_needed([one], app, site_runs=False)
    assert services_words.words([one], "web", site_runs=False) == [
        "db is stopped (Exited (1) 5 minutes ago): it is started, since web depends on it"
    ]


def test_what_the_site_needs_and_somebody_has_stopped_is_refused(tmp_path):
    app = World(tmp_path).app
    with pytest.raises(
        BadInputError, match=r"'db' is stopped \(Exited \(1\) .*\) and 'web' depends on it; .* -p jobs start db"
    ):
        services_refusals.require_needed([service("db", NEEDED, "exited")], app, site_runs=True)
    for one in (service("db", NEEDED, "exited", once=True), service("db", APART, "exited"), service("db", NEEDED, "")):
        services_refusals.require_needed([one], app, site_runs=True)


def test_a_service_that_is_none_is_refused():
    with pytest.raises(BadInputError, match="names 'nginx', but the project has no such service; it has: db, web"):
        services_refusals.require_known(("db", "nginx"), {"services": {"web": {}, "db": {}}})


def test_what_lies_in_an_anonymous_volume_is_not_given_up(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.add("db-1")
    one = service("db", NEEDED, differs=CHANGED, asked=True)
    world.there["db-1"]["Mounts"] = [{"Name": "data", "Destination": "/data"}, {"Destination": "/etc"}]
    services_refusals.require_volumes(world, [one])
    world.there["db-1"]["Mounts"] = [{"Name": "a" * 64, "Destination": "/data"}]
    with pytest.raises(BadInputError, match="'db' has an anonymous volume at /data"):
        services_refusals.require_volumes(world, [one])
    services_refusals.require_volumes(world, [dataclasses.replace(one, asked=False)])
