# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks the site for a page, and what counts as an answer."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world

PUBLISHED = {"target": 9000, "published": "9001", "protocol": "tcp"}


@pytest.mark.parametrize(
    ("status", "seen"), [(0, 0), (200, 200), (301, 301), (401, 401), (404, 404), (500, 0), (503, 0)]
)
def test_an_error_of_a_server_is_no_answer(monkeypatch, status, seen):
    asked = []

    def answers(*args):
        asked.append(args)
        return status

    monkeypatch.setattr(context.http, "status", answers)
    assert context.make_readiness_request("http://127.0.0.1:8001", "/jobs/", {"Host": "a"})() == seen
    assert asked == [("127.0.0.1", 8001, "/jobs/", {"Host": "a"}, context.REQUEST_TIMEOUT_SECONDS, "http")]


@pytest.mark.parametrize("url", ["", "127.0.0.1:8001", "ftp://127.0.0.1", "http://", "https://"])
def test_an_address_that_is_none_is_told(url):
    with pytest.raises(BadInputError, match="must be like http://127"):
        context.make_readiness_request(url, "/", {})


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1", ("127.0.0.1", 80, "http")),
        ("https://127.0.0.1", ("127.0.0.1", 443, "https")),
        ("https://127.0.0.1:8443", ("127.0.0.1", 8443, "https")),
        ("https://[::1]", ("::1", 443, "https")),
    ],
)
def test_where_a_site_is_asked(monkeypatch, url, asked):
    seen = []
    monkeypatch.setattr(context.http, "status", lambda host, port, *more: seen.append((host, port, more[-1])) or 200)
    context.make_readiness_request(url, "/", {})()
    assert seen == [asked]


@pytest.mark.parametrize(
    ("site", "base_url", "services", "port", "address"),
    [
        ({}, "", ("nginx",), 8000, "http://127.0.0.1"),
        # The port that visitors' requests go to, whatever else the site publishes, and wherever it is asked.
        ({"ports": [PUBLISHED]}, "", ("nginx",), 8000, "http://127.0.0.1"),
        ({"ports": [PUBLISHED]}, "http://127.0.0.1:9001", ("nginx",), 8000, "http://127.0.0.1:9001"),
        ({"ports": [PUBLISHED]}, "", (), 9000, "http://127.0.0.1:9001"),
    ],
)
def test_a_front_proxy_of_the_projects_own(tmp_path, monkeypatch, site, base_url, services, port, address):
    world = front_world.world_of(tmp_path, monkeypatch, **site)
    if not services:
        del world.config["services"]["nginx"]
    work = world.work()
    work.spec = dataclasses.replace(work.spec, base_url=base_url)
    assert (work.front.services, work.port) == (services, port)
    assert context.address(work.config, work.app, work.spec)[0] == address


@pytest.mark.parametrize(("way", "scheme"), [("uwsgi_pass web:8000;", "uwsgi"), ("web:8000", "http")])
def test_new_containers_are_asked_as_the_front_proxy_asks(tmp_path, monkeypatch, way, scheme):
    world = front_world.world_of(tmp_path, monkeypatch)
    world.config["services"]["nginx"]["environment"] = {"A": way}
    work = world.work()
    checks = work.readiness_checks()
    assert (work.scheme, checks.scheme, checks.port) == (scheme, scheme, 8000)


def test_a_commit_that_brings_a_front_proxy_is_looked_at_again(tmp_path, monkeypatch):
    work = front_world.world_of(tmp_path, monkeypatch, ports=[PUBLISHED]).work()
    with_front = work.config
    work.config = {**with_front, "services": {"web": work.service}}
    assert (work.front, work.port) == (front_proxy.NONE, 9000)
    work.config = with_front
    assert (work.front.services, work.port) == (("nginx",), 8000)
    looks = []
    monkeypatch.setattr(front_proxy, "find", lambda *_any: looks.append(1))
    assert (work.front.services, looks) == (("nginx",), [])
