# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strategy that is possible, and why not the wanted one."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config, engine, gunicorn, gunicorn_reload
from ansible_collections.juno.deploy.plugins.module_utils._plan import strategy_plan
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import front_world
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import SITE, World

from . import plan_world
from .plan_world import world_of

#: The fixture.
world = plan_world.world


def chosen(world: World, wanted: str, new_image: str = "") -> tuple[str, str]:
    running = engine.find(world, "jobs")
    result = strategy_plan.choose_strategy(world.app, wanted, world.config, new_image, running)
    return result["strategy"], "; ".join(result["strategy_reasons"])


@pytest.mark.parametrize(
    ("changed", "strategy", "reason"),
    [
        ([], "reload", ""),
        (["templates/home.html"], "reload", ""),
        (
            ["conf/gunicorn.conf.py"],
            "rolling",
            "not reload, because conf/gunicorn.conf.py changed, which gunicorn reads as it starts",
        ),
    ],
)
def test_a_new_container_reads_gunicorns_settings(world, monkeypatch, changed, strategy, reason):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    monkeypatch.setattr(gunicorn_reload, "find", lambda _client, _site: [])
    result = strategy_plan.choose_strategy(world.app, "reload", world.config, "", engine.find(world, "jobs"), changed)
    assert (result["strategy"], "; ".join(result["strategy_reasons"])) == (strategy, reason)


@pytest.mark.parametrize("wanted", ["rolling", "recreate", "reload"])
def test_the_wanted_strategy_is_taken(world, monkeypatch, wanted):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    assert chosen(world, wanted) == (wanted, "")


@pytest.mark.parametrize(
    ("site", "reason"),
    [
        ({"ports": []}, "not rolling, because the service publishes no port"),
        ({"network_mode": "host"}, "not rolling, because the service has network_mode host"),
    ],
)
def test_where_no_proxy_can_stand_it_is_recreate(tmp_path, monkeypatch, site, reason):
    assert chosen(world_of(tmp_path, monkeypatch, **site), "rolling") == ("recreate", reason)


def test_a_persons_override_is_a_reason(world):
    with open(world.app.path + "/docker-compose.override.yml", "w", encoding="utf-8") as file:
        file.write("services: {}\n")
    strategy, reason = chosen(world, "rolling")
    assert strategy == "recreate"
    assert "docker-compose.override.yml is there" in reason


@pytest.mark.parametrize(
    ("new_image", "server", "reason"),
    [
        ("an image is to be built", "", "not reload, because an image is to be built"),
        ("", "the server is uvicorn", "not reload, because the server is uvicorn"),
    ],
)
def test_reasons_against_a_reload_give_rolling(world, monkeypatch, new_image, server, reason):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: server)
    assert chosen(world, "reload", new_image) == ("rolling", reason)


def test_code_in_the_image_is_no_matter_for_a_reload(tmp_path, monkeypatch):
    world = world_of(tmp_path, monkeypatch, volumes=[])
    assert chosen(world, "reload") == ("rolling", "not reload, because the code is in the image, not mounted")


@pytest.mark.parametrize("proxy", [False, True])
def test_the_site_alone_is_asked_whether_it_can_be_reloaded(tmp_path, monkeypatch, proxy):
    world = world_of(tmp_path, monkeypatch)
    world.app = dataclasses.replace(world.app, worker_services=("celery",))
    world.add("web-1")
    world.add("celery-1")
    if proxy:
        world.behind_proxy()
    asked = []

    def why_not(_client, site, *, proxy):
        asked.append(([one.name for one in site], proxy))
        return ""

    monkeypatch.setattr(gunicorn, "why_not", why_not)
    chosen(world, "reload")
    assert asked == [(["web-1"], proxy)]


@pytest.mark.parametrize(
    ("strategy", "proxy", "first"),
    [("rolling", False, True), ("rolling", True, False), ("recreate", False, False), ("reload", False, False)],
)
def test_the_first_proxy_is_announced(world, monkeypatch, strategy, proxy, first):
    if proxy:
        world.behind_proxy()
    running = engine.find(world, "jobs")
    service = world.config["services"][world.app.service]
    mounted = {**service, "volumes": [{"type": "bind", "source": world.app.path, "target": "/code"}]}
    config = {**world.config, "services": {**world.config["services"], world.app.service: mounted}}
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    plan = strategy_plan.choose_strategy(world.app, strategy, config, "", running)
    assert (plan["strategy"], plan["first_proxy"], plan["front_recreated"]) == (strategy, first, [])


@pytest.mark.parametrize(
    ("wanted", "led", "links", "ports", "strategy", "first", "front"),
    [
        # Our proxy comes: nginx gets a new container, and a published port of the site's own changes hands.
        ("rolling", False, None, [], "rolling", False, ["nginx"]),
        ("rolling", False, None, SITE["ports"], "rolling", True, ["nginx"]),
        ("recreate", False, None, [], "recreate", False, []),
        # It is there.
        ("rolling", True, None, [], "rolling", False, []),
        ("rolling", True, [], [], "rolling", False, ["nginx"]),
        ("recreate", True, [], [], "recreate", False, ["nginx"]),
        ("reload", True, [], [], "reload", False, []),
    ],
)
def test_a_front_proxy_that_is_recreated_is_announced(
    tmp_path, monkeypatch, wanted, led, links, ports, strategy, first, front
):
    mount = {"type": "bind", "source": str(tmp_path / "app"), "target": "/code"}
    world = front_world.world_of(tmp_path, monkeypatch, led=led, ports=ports, volumes=[mount])
    if links is not None:
        world.there["nginx-1"]["links"] = links
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    plan = strategy_plan.choose_strategy(world.app, wanted, world.config, "", engine.find(world, "jobs"))
    assert (plan["strategy"], plan["first_proxy"], plan["front_recreated"]) == (strategy, first, front)


def test_a_front_proxy_that_ours_can_not_stand_behind_is_a_reason(tmp_path, monkeypatch):
    world = front_world.world_of(tmp_path, monkeypatch)
    world.config["services"]["nginx"]["links"] = ["web"]
    strategy, reason = chosen(world, "rolling")
    assert strategy == "recreate"
    assert reason.startswith("not rolling, because 'nginx' has a link to it")


@pytest.mark.parametrize(
    ("before", "now", "differing"),
    [
        ({"environment": {"A": "1"}}, {"environment": {"A": "1"}}, ((), ())),
        ({"environment": {"A": "1"}}, {"environment": {"A": "2"}}, (("web",), ())),
        ({"build": {"args": {"A": "1"}}}, {"build": {"args": {"A": "2"}}}, (("web",), ("web",))),
        ({"build": {"context": "/"}}, {"build": {"context": "/"}, "command": ["x"]}, (("web",), ())),
        (None, {"environment": {"A": "2"}}, ((), ())),
    ],
)
def test_a_configuration_is_compared_with_that_of_the_release_that_serves(world, before, now, differing):
    known = compose_config.digests({"services": {"web": before}}, ("web",)) if before else {}
    serving = journal.Entry(configurations=known)
    assert strategy_plan.differing(world.app, serving, {"services": {"web": now}}) == differing
