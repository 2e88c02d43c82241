# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the site that serves is asked behind a front proxy of the project's own."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._status import site_address, survey
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world

NAMED = {"Host": "www.example.org", "X-Forwarded-Proto": "https"}


@pytest.fixture
def world(tmp_path, monkeypatch):
    return front_world.world_of(tmp_path, monkeypatch)


def entry(world, number, base_url, outcome="done"):
    spec = dataclasses.replace(world.spec(), base_url=base_url, headers=NAMED)
    return journal.Entry(number=number, outcome=outcome, commit="c", step="verified", spec=spec)


@pytest.mark.parametrize(
    ("urls", "address"),
    [
        (["https://127.0.0.1"], {"base_url": "https://127.0.0.1", "headers": NAMED}),
        (["http://127.0.0.1:8001", "https://127.0.0.1"], {"base_url": "https://127.0.0.1", "headers": NAMED}),
        # One that an earlier version has deployed has asked at the site's own port.
        ([""], {"base_url": "http://127.0.0.1"}),
        ([], {"base_url": "http://127.0.0.1"}),
    ],
)
def test_it_is_asked_as_the_release_that_serves_was(world, urls, address):
    entries = [entry(world, number, url) for number, url in enumerate(urls, 1)]
    assert site_address.of_front(world.app, world.config, entries) == address
    failed = dataclasses.replace(entry(world, 9, "http://127.0.0.1:9", "failed"), undone=True)
    assert site_address.of_front(world.app, world.config, [*entries, failed]) == address


@pytest.mark.parametrize("config", [{}, {"services": {}}, {"services": {"web": {}}}, {"services": {"nginx": {}}}])
def test_without_a_front_proxy_it_is_as_before(world, config):
    assert site_address.of_front(world.app, config, [entry(world, 1, "https://127.0.0.1")]) == {}


def test_one_that_publishes_nothing_is_nobodys_address(world):
    world.config["services"]["nginx"]["ports"] = []
    assert site_address.of_front(world.app, world.config, [entry(world, 1, "https://127.0.0.1")]) == {}


LABELS = {
    "traefik.http.routers.web.rule": "Host(`shop.example`)",
    "traefik.http.services.web.loadbalancer.server.port": "8000",
}


@pytest.mark.parametrize("here", [True, False])
def test_traefik_is_asked_by_the_sites_name(world, here):
    """It may be of another project: then a person says where it is."""
    world.config["services"]["nginx"]["ports"] = []
    world.config["services"]["web"]["labels"] = LABELS
    if here:
        world.config["services"]["traefik"] = {"image": "traefik", "ports": [front_world.PORT]}
    address = {"base_url": "http://127.0.0.1", "headers": {"Host": "shop.example"}} if here else {}
    found = site_address.of_front(world.app, world.config, [entry(world, 1, "")])
    assert found == {**address, "front_host": "shop.example"}


def test_a_status_tells_it(world, monkeypatch):
    monkeypatch.setattr(survey, "_look_at_files", lambda *_any: (None, world.config))
    journal.write(world.app.journal, [entry(world, 1, "https://127.0.0.1")])
    found = survey.survey(run_command, world.app, survey.Question(3, 0))
    assert (found["base_url"], found["headers"]) == ("https://127.0.0.1", NAMED)
    del world.config["services"]["nginx"]
    found = survey.survey(run_command, world.app, survey.Question(3, 0))
    assert (found["base_url"], found["headers"]) == ("", {})
