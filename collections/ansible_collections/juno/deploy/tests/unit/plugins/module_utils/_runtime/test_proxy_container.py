# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the proxy needs another container, how it gets one, and what it joins."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError, EngineError
from ansible_collections.juno.deploy.plugins.module_utils._plan import proxy_plan
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files
from ansible_collections.juno.deploy.plugins.module_utils._runtime import proxy_container
from ansible_collections.juno.deploy.plugins.module_utils._switch import replace as switch_replace
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import NETWORK, World

FURTHER = {"target": 2525, "published": "25", "protocol": "tcp"}
REQUEST = proxy_plan.ProxyRequest("haproxy:3.0")


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def replace(world: World, **spec):
    work = world.work()
    work.spec = dataclasses.replace(work.spec, **spec)
    world.begun(step="switch")
    switch_replace.replace(work, lambda: 200)
    return work


def test_what_runs_already_joins_the_network_before_the_configuration_is_read(world):
    world.behind_proxy()
    world.add("web-1")
    for name in ("web-1", "juno-edge-1"):
        world.there[name]["networks"] = {"jobs_default"}
    with open(world.configuration, "a", encoding="utf-8") as file:
        file.write("# of a version before\n")
    replace(world)
    wanted = [
        "create web=2",
        "connect web-1 juno-jobs-web",
        "connect juno-edge-1",
        "SIGUSR2 juno-edge-1",
        "start web-2",
    ]
    assert [one for one in world.log if one in wanted] == wanted
    # Nothing that visitors come through was replaced.
    assert world.states("juno-edge") == {"juno-edge-1": "running"}


def test_an_image_of_another_name_is_handed_the_ports(world):
    world.behind_proxy()
    world.add("web-1")
    work = replace(world, proxy_image="haproxy:3.2")
    log = [one for one in world.log if "juno-edge" in one]
    assert log == ["create juno-edge=2", "stop juno-edge-1", "start juno-edge-2", "remove juno-edge-1"]
    assert (work.moved_to_proxy, 0 < work.down <= work.up) == (True, True)


def test_a_proxy_that_cannot_start_gives_the_ports_back(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    start = world.start

    def starts(identity):
        if identity == "juno-edge-2":
            raise engine.docker.errors.APIError("port is already allocated")
        start(identity)

    monkeypatch.setattr(world, "start", starts)
    with pytest.raises(EngineError, match=r"proxy juno-edge-2 could not be started \(port is already allocated\)"):
        replace(world, proxy_image="haproxy:3.2")
    assert world.states("juno-edge-1") == {"juno-edge-1": "running"}


@pytest.mark.parametrize(("pull", "replaced"), [(False, False), (True, True)])
def test_a_name_that_moved_to_another_image_replaces_the_proxy_only_when_asked(world, pull, replaced):
    world.behind_proxy()
    world.add("web-1")
    world.names["haproxy:3.0"] = "sha256:newer"
    replace(world, proxy_pull=pull)
    assert ("stop juno-edge-1" in world.log) is replaced


@pytest.mark.parametrize(
    ("kinds", "forced", "tcp"),
    [
        ({2525: "other"}, (), {2525}),
        ({2525: "tls"}, (), {2525}),
        ({2525: "silent"}, (), {2525}),
        ({2525: "http 404"}, (), set()),
        ({2525: "http 404"}, (25,), {2525}),
        # The site's own port is never asked, and never TCP.
        ({8000: "tls", 2525: "http 200"}, (8001,), set()),
    ],
)
def test_a_further_port_is_http_where_it_is_known_to_be(world, kinds, forced, tcp):
    world.config["services"]["web"]["ports"] = [*world.config["services"]["web"]["ports"], FURTHER]
    world.kinds = kinds
    world.add("web-1")
    work = world.work()
    work.spec = dataclasses.replace(work.spec, tcp_ports=forced)
    assert proxy_container.tcp_targets(work, work.old) == tcp


def test_a_published_port_of_uwsgi_is_not_asked_by_http(world, monkeypatch):
    world.config["services"]["web"]["ports"] = [*world.config["services"]["web"]["ports"], FURTHER]
    said = {"A": "http://web:8000 http://web:8000", "B": "uwsgi_pass web:2525;"}
    world.config["services"]["nginx"] = {"image": "nginx", "environment": said}
    world.add("web-1")
    work = world.work()
    monkeypatch.setattr(proxy_container.port_kind, "kind", lambda *_any: pytest.fail("asked by HTTP"))
    assert (work.port, work.front.uwsgi) == (8000, {2525})
    assert proxy_container.tcp_targets(work, work.old) == set()


@pytest.mark.parametrize("before", ["http 200", "other"])
def test_where_nobody_can_be_asked_it_stays_as_it_was(world, before):
    world.config["services"]["web"]["ports"] = [*world.config["services"]["web"]["ports"], FURTHER]
    world.kinds = {2525: before}
    world.behind_proxy()
    world.add("web-1")
    replace(world)
    work = world.work()
    assert proxy_container.tcp_targets(work, []) == (set() if before == "http 200" else {2525})


def test_what_the_proxy_runs(world):
    world.behind_proxy()
    world.there["juno-edge-1"]["ImageID"] = world.names["haproxy:3.0"] = "sha256:proxy"
    found = proxy_container.image_facts(world.work())
    assert found == {"image": "haproxy:3.0", "id": "sha256:proxy", "digest": ""}


# The plan


def plan(world: World, strategy: str = "rolling", *, dry: bool = False, **request):
    return proxy_plan.prepare(world.run, world.app, dataclasses.replace(REQUEST, **request), strategy, dry=dry)


def test_the_plan_of_a_first_proxy_says_where_the_visitors_address_is(world):
    world.names["haproxy:3.0"] = "sha256:proxy"
    (notice,) = plan(world)
    assert "a visitor's is in X-Forwarded-For, which is believed from 127.0.0.0/8, " in notice
    assert "believed from nobody" in plan(world, trusted_proxies=())[0]
    assert plan(world, "recreate") == []


def test_the_plan_of_a_proxy_that_is_as_it_must_be(world):
    world.names["haproxy:3.0"] = "sha256:proxy"
    world.behind_proxy()
    assert plan(world) == []
    assert plan(world, trusted_proxies=("10.0.0.0/8",)) == [proxy_plan.RELOADED]
    assert plan(world, "reload", trusted_proxies=("10.0.0.0/8",)) == []


def test_the_plan_of_a_proxy_from_before(world):
    world.names["haproxy:3.0"] = "sha256:proxy"
    world.behind_proxy()
    files.put(world.configuration, "global\n")
    assert plan(world)[0] == proxy_plan.RELOADED
    assert "REMOTE_ADDR" in plan(world)[1]


def test_the_plan_of_a_proxy_that_is_replaced(world):
    world.names |= {"haproxy:3.0": "sha256:proxy", "haproxy:3.2": "sha256:other"}
    world.behind_proxy()
    assert "replaced, since its image changed; nobody is answered" in plan(world, image="haproxy:3.2")[0]
    assert plan(world, "recreate", image="haproxy:3.2") == plan(world, image="haproxy:3.2")


def test_another_port_in_the_commit_that_comes_replaces_the_proxy(world):
    world.names["haproxy:3.0"] = "sha256:proxy"
    world.behind_proxy()
    service = {**world.config["services"]["web"], "ports": [{"target": 8000, "published": "8022", "protocol": "tcp"}]}
    wanted = {**world.config, "services": {**world.config["services"], "web": service}}
    (notice, *_more) = proxy_plan.prepare(world.run, world.app, REQUEST, "rolling", dry=True, config=wanted)
    assert "the proxy is replaced, since its configuration changed" in notice or "since its ports changed" in notice


def test_where_the_proxy_can_no_longer_stand_it_is_said_before_anything_is_built(world):
    world.behind_proxy()
    world.config["services"]["web"]["networks"] = {"front": {"ipv4_address": "10.5.0.5"}}
    with pytest.raises(
        BadInputError, match=r"no longer can: the service has a fixed ipv4_address .* nothing was changed"
    ):
        plan(world, "recreate", base_url="http://127.0.0.1:8001")


def test_a_missing_image_is_found_when_planning(world):
    world.names.pop("haproxy:3.0", None)
    assert plan(world, dry=True)[0] == "the proxy's image haproxy:3.0 is pulled first"
    assert "pull" not in world.log
    with pytest.raises(CommandError, match=r"can't be pulled .no such host.*Nothing was changed"):
        plan(world)


@pytest.mark.parametrize(
    ("ports", "base_url", "kind", "error"),
    [
        (["8001"], "", "tls", ""),
        (["8443", "8001"], "", "tls", r"8443, answers, but not by HTTP.*http://127\.0\.0\.1:8001"),
        (["8443", "8001"], "", "", ""),
        (["8443", "8001"], "http://127.0.0.1:8001", "tls", ""),
        ([], "", "", "publishes no port with a fixed number"),
        ([], "http://127.0.0.1", "", ""),
        ([], "ftp://example.org", "", "must be like http://127"),
        ([], "https://127.0.0.1", "", ""),
    ],
)
def test_an_address_for_the_site_is_known_before_anything_is_built(ports, base_url, kind, error):
    service = {"ports": [{"target": 1, "published": one} for one in ports]}
    if not error:
        proxy_plan.require_address("web", service, base_url, lambda _host, _port: kind)
        return
    with pytest.raises(BadInputError, match=error):
        proxy_plan.require_address("web", service, base_url, lambda _host, _port: kind)


def test_the_network_is_the_projects_own():
    assert NETWORK == "jobs_juno-edge"
