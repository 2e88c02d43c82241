# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order new containers take the place of old ones."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files, runtime
from ansible_collections.juno.deploy.plugins.module_utils._switch import replace as switch_replace
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)


def replace(world: World, strategy: str = "rolling"):
    work = world.work(strategy)
    world.begun(step="switch")
    new = switch_replace.replace(work, lambda: world.answer("127.0.0.1", 8001, "/", {}, 1))
    return work, [one.name for one in new]


def in_order(log: list[str], *wanted: str) -> bool:
    """Return whether all of these came to pass, in this order."""
    rest = iter(log)
    return all(one in rest for one in wanted)


def test_rolling_behind_a_standing_proxy(world):
    world.behind_proxy()
    world.add("web-1")
    work, new = replace(world)
    assert new == ["web-2"]
    assert in_order(world.log, "create web=2", "start web-2", "ready web-2", "drain web-1", "stop web-1")
    # A proxy that is as it must be is let alone.
    assert not any("juno-edge" in one for one in world.log)
    assert world.gets_requests() == ["web-2"]
    # Kept, and at work on nothing: the quickest to go back to.
    assert world.states("web-1")["web-1"] == "exited"
    assert (work.down, work.moved_to_proxy) == (0.0, False)
    assert world.newest().step == "open"


def test_as_many_as_the_compose_file_wants(world):
    world.behind_proxy()
    world.config["services"]["web"]["scale"] = 2
    world.add("web-1")
    world.add("web-2")
    _work, new = replace(world)
    assert new == ["web-3", "web-4"]
    assert "create web=4" in world.log
    assert world.gets_requests() == ["web-3", "web-4"]


def test_one_starts_after_the_other(world):
    world.behind_proxy()
    world.config["services"]["web"]["scale"] = 2
    world.add("web-1")
    world.answers["web-2"] = 500
    with pytest.raises(JunoError, match="web-2 did not get healthy"):
        replace(world)
    assert "start web-2" in world.log
    assert "start web-3" not in world.log


def test_what_lies_there_stopped_is_counted(world):
    world.behind_proxy()
    world.add("web-1", "exited")
    world.add("web-2")
    _work, new = replace(world)
    assert new == ["web-3"]
    assert "create web=3" in world.log


def test_what_never_gets_healthy_gets_no_request(world):
    world.behind_proxy()
    world.add("web-1")
    world.answers["web-2"] = 500
    with pytest.raises(JunoError, match=r"web-2 did not get healthy within 0\.3 s \(it answered / with status 500"):
        replace(world)
    assert world.gets_requests() == ["web-1"]
    assert world.states("web-1")["web-1"] == "running"
    assert world.newest().step == "switch"


def test_the_first_proxy_takes_the_ports(world):
    world.add("web-1")
    work, new = replace(world)
    assert new == ["web-2"]
    # All that takes time is done before the ports are freed.
    assert in_order(world.log, "create web=2", "start web-2", "up juno-edge", "stop web-1", "start juno-edge-1")
    assert work.moved_to_proxy is True
    assert 0 < work.down <= work.up
    assert compose.is_ours(world.app.override)
    assert "server-template web" in files.read(world.app.proxy_directory + "/haproxy.cfg")


def test_the_first_proxy_waits_until_the_new_one_is_healthy(world):
    world.add("web-1")
    world.answers["web-2"] = 500
    with pytest.raises(JunoError, match="did not get healthy"):
        replace(world)
    assert world.states() == {"web-1": "running", "web-2": "running"}
    assert world.newest().step == "switch"


def test_on_an_empty_droplet_nobody_is_without_an_answer(world):
    work, new = replace(world)
    assert (new, work.down) == (["web-1"], 0.0)
    assert world.states() == {"web-1": "running", "juno-edge-1": "running"}


def test_recreate_frees_the_ports_first_and_measures(world):
    world.add("web-1")
    work, new = replace(world, "recreate")
    assert new == ["web-2"]
    assert world.log == ["create web=2", "stop web-1", "start web-2"]
    assert work.down > 0
    assert world.newest().step == "open"
    assert not compose.is_ours(world.app.override)


def test_from_rolling_to_recreate_the_proxy_stays(world):
    world.behind_proxy()
    world.add("web-1")
    replace(world, "recreate")
    assert in_order(world.log, "stop web-1", "start web-2")
    assert world.states("juno-edge") == {"juno-edge-1": "running"}
    assert world.gets_requests() == ["web-2"]
    assert compose_override.is_in(files.read(world.app.override))


def test_from_recreate_to_rolling_the_proxy_comes(world):
    world.config["services"]["web"]["container_name"] = "web"
    world.add("web-1")
    replace(world, "recreate")
    assert files.read(world.app.override) == compose_override.override(None, service="web", named=True)
    world.there.pop("web-1")
    work, _new = replace(world)
    assert work.moved_to_proxy is True
    assert compose_override.is_in(files.read(world.app.override))
    assert "container_name: !reset null" in files.read(world.app.override)


def test_no_other_service_is_created_or_removed(world):
    world.config["services"] |= {
        "memcached": {"image": "memcached:1.6"},
        "proxy": {"image": "nginx", "depends_on": {"web": None}},
    }
    world.config["services"]["web"]["depends_on"] = {"memcached": None}
    for name in ("memcached-1", "memcached-2"):  # a person has scaled it
        world.add(name)
    asked = []
    run = world.run
    world.run = lambda argv, **more: (asked.append(argv), run(argv, **more))[1]
    replace(world, "recreate")
    assert "memcached=2" in next(argv for argv in asked if "up" in argv)
    assert list(world.states()) == ["memcached-1", "memcached-2", "web-1"]


@pytest.mark.parametrize(
    ("web", "db", "never"),
    [("", "", False), ("missing", "", False), ("always", "", True), ("daily", "", True), ("", "always", True)],
)
def test_docker_compose_pulls_nothing_meanwhile(world, web, db, never):
    world.config["services"]["web"] |= {"image": "ghcr.io/me/jobs", "pull_policy": web, "depends_on": {"db": None}}
    world.config["services"]["db"] = {"image": "postgres", "pull_policy": db}
    world.add("db-1")
    asked, run = [], world.run
    world.run = lambda argv, **more: (asked.append(argv), run(argv, **more))[1]
    replace(world, "recreate")
    (argv,) = [argv for argv in asked if "up" in argv]
    assert ("--pull never" in " ".join(argv)) is never


def test_a_proxy_image_that_cannot_be_had_changes_nothing(world):
    world.add("web-1")
    with pytest.raises(CommandError, match=r"haproxy:3\.0 can't be pulled \(no such host\).*Nothing was changed"):
        switch_replace.require_image(world.work())
    assert world.log == ["pull"]
    world.names["haproxy:3.0"] = "sha256:proxy"
    switch_replace.require_image(world.work())
    assert world.log == ["pull"]


def test_a_port_that_moved_reaches_the_running_proxy(world):
    world.behind_proxy()
    world.add("web-1")
    world.config["services"]["web"]["ports"] = [{"target": 9000, "published": "8001", "protocol": "tcp"}]
    replace(world)
    # The ports outside are the same, so the proxy's container stays.
    assert in_order(world.log, "SIGUSR2 juno-edge-1", "ready web-2", "drain web-1")
    assert world.states("juno-edge") == {"juno-edge-1": "running"}
    assert (world.backend, world.gets_requests()) == ("app_9000", ["web-2"])


def test_recreate_of_a_named_container_beside_a_persons_override(world):
    world.config["services"]["web"]["container_name"] = "web"
    with open(world.app.path + "/docker-compose.override.yml", "w", encoding="utf-8") as file:
        file.write("services: {}\n")
    world.add("web-1")
    _work, new = replace(world, "recreate")
    assert new == ["web-2"]
    assert not compose.is_ours(world.app.override)


def test_a_proxy_of_other_ports_is_recreated_and_waited_for(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    waited = []
    monkeypatch.setattr(runtime, "wait_until_up", lambda ask: waited.append(ask("show info")))
    world.config["services"]["web"]["ports"] = [{"target": 8000, "published": "8002", "protocol": "tcp"}]
    replace(world)
    assert world.states("juno-edge") == {"juno-edge-2": "running"}
    assert not any(one.startswith("SIGUSR2") for one in world.log)
    assert waited == ["Name: HAProxy\nPid: 2\n"]


def test_a_proxy_of_another_image_is_waited_for_too(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    waited = []
    monkeypatch.setattr(runtime, "wait_until_up", lambda ask: waited.append(ask("show info")))
    work = world.work()
    work.spec = dataclasses.replace(work.spec, proxy_image="haproxy:3.2")
    world.begun(step="switch")
    switch_replace.replace(work, lambda: 200)
    assert world.states("juno-edge") == {"juno-edge-2": "running"}
    assert waited == ["Name: HAProxy\nPid: 2\n"]


def test_a_place_at_the_proxy_is_held_before_the_new_one_starts(world, monkeypatch):
    world.behind_proxy()
    world.add("web-1")
    held = []
    start = world.start

    def starts(identity):
        held.append([drained for _where, drained in world.places.values()])
        start(identity)

    monkeypatch.setattr(world, "start", starts)
    replace(world)
    # Only the place of the one that serves is open.
    assert held == [[False, True, True, True]]


def test_an_app_with_one_name_for_its_container_gets_no_proxy_by_being_recreated_twice(world):
    world.config["services"]["web"]["container_name"] = "web"
    world.add("web-1")
    replace(world, "recreate")
    world.there.pop("web-1")
    replace(world, "recreate")
    assert not world.states("juno-edge")
    assert not compose_override.is_in(files.read(world.app.override))


def test_a_front_proxy_that_hangs_keeps_nobody_waiting(world):
    """What asked through it when the old container ended gets its answer long after that."""
    world.add("web-1")
    work, hangs, asked = world.work("recreate"), threading.Event(), []

    def get_status():
        asked.append(1)
        hangs.wait(60)
        return 0

    began = time.monotonic()
    try:
        switch_replace._end_seen(work, work.old, get_status, 30)
        assert (asked, world.log) == ([1], ["stop web-1"])
        assert time.monotonic() - began < 50
    finally:
        hangs.set()
