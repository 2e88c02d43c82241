# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at everything: the strategy that is possible, what the plan is made from, and the way back."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config, engine, gunicorn
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git.diff import Change
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect, inspect_git
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Schema
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

REQUEST = inspect_git.PlanRequest("origin", "main", 60, False, False, "rolling")


def world_of(tmp_path, monkeypatch, **site) -> World:
    mount = {"type": "bind", "source": str(tmp_path / "app"), "target": "/code"}
    return World(tmp_path, site={"volumes": [mount], **site}).take_the_place_of_the_real(monkeypatch)


@pytest.fixture
def world(tmp_path, monkeypatch):
    return world_of(tmp_path, monkeypatch)


def chosen(world: World, wanted: str, new_image: str = "") -> tuple[str, str]:
    running = engine.find(world, "jobs")
    result = inspect.choose_strategy(world.app, wanted, world.config, new_image, running)
    return result["strategy"], "; ".join(result["strategy_reasons"])


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
def test_the_first_proxy_is_announced(world, strategy, proxy, first):
    if proxy:
        world.behind_proxy()
    assert inspect.first_proxy({"strategy": strategy}, engine.find(world, "jobs")) is first


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
    assert inspect.differing(world.app, serving, {"services": {"web": now}}) == differing


def test_a_reload_can_not_bring_a_new_configuration(two, monkeypatch):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    first, second = journal.read(two.app.journal)
    second = dataclasses.replace(second, configurations={"web": ["another", "one"]})
    journal.write(two.app.journal, [first, second])
    plan = back(two, -1, strategy="reload")["plan"]
    assert plan["strategy"] == "rolling"
    assert "the configuration of web has changed, which only a new container has" in plan["strategy_reasons"][0]


def done(number: int, commit: str, **more) -> journal.Entry:
    return journal.Entry(number=number, commit=commit, outcome="done", images={"web": f"sha256:{number}"}, **more)


@pytest.fixture
def two(world):
    """Two good releases; the second serves, and both images are kept."""
    first, second = world.commits
    world.names |= {f"jobs-web:juno-{commit[:12]}": f"sha256:{n}" for n, commit in ((1, first), (2, second))}
    world.add("web-1", image="sha256:2")
    journal.write(world.app.journal, [done(1, first), done(2, second)])
    return world


def of_one_image(world: World) -> None:
    """Let both releases have run the same image."""
    world.names[f"jobs-web:juno-{world.commits[0][:12]}"] = "sha256:2"
    entries = journal.read(world.app.journal)
    journal.write(world.app.journal, [dataclasses.replace(one, images={"web": "sha256:2"}) for one in entries])


def back(world: World, release: int = 0, **request) -> dict:
    return inspect.look_back(world.run, world.app, dataclasses.replace(REQUEST, **request), release)


def test_a_restart_stays_at_its_commit(two):
    found = back(two, -1)
    assert found["git"]["target_commit"] == found["git"]["commit"] == two.commits[1]
    assert (found["images"], found["target"], found["migrations"]) == ({}, {}, [])
    assert (found["plan"]["deploy"], found["plan"]["build"], found["plan"]["strategy"]) == (True, False, "rolling")
    assert found["serving"]["number"] == 2
    assert two.log == []


def test_a_restart_needs_no_journal_and_no_clean_checkout(world):
    with open(world.app.path + "/docker-compose.yml", "a", encoding="utf-8") as file:
        file.write("# by hand\n")
    assert back(world, -1)["serving"] == {}


def test_a_rollback_goes_to_the_release_before(two):
    first, second = two.commits
    found = back(two)
    assert found["git"] == {"commit": second, "target_commit": first, "target_subject": "1"}
    assert found["target"] == {"number": 1, "commit": first}
    assert (found["images"], found["serving_images"]) == ({"web": "sha256:1"}, {"web": "sha256:2"})
    assert found["plan"]["first_proxy"] is True


@pytest.mark.parametrize(("same", "strategy"), [(True, "reload"), (False, "rolling")])
def test_a_rollback_reloads_only_where_the_image_is_the_same(two, monkeypatch, same, strategy):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    if same:
        of_one_image(two)
    plan = back(two, strategy="reload")["plan"]
    assert plan["strategy"] == strategy
    assert ("another image is to be started" in "".join(plan["strategy_reasons"])) is not same


@pytest.mark.parametrize(
    ("asked", "file", "own", "strategy", "collects"),
    [
        ({}, "shop/static/site.css", False, "rolling", True),
        ({}, "shop/static/site.css", True, "rolling", False),
        ({}, "shop/static/site.css", True, "reload", True),
        ({}, "templates/home.html", False, "rolling", False),
        ({"own_frontend": True}, "templates/home.html", False, "rolling", True),
        ({"collectstatic": "never"}, "shop/static/site.css", False, "rolling", False),
        ({"collectstatic": "always"}, "templates/home.html", False, "rolling", True),
    ],
)
def test_a_rollback_collects_where_static_files_differ(two, monkeypatch, asked, file, own, strategy, collects):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    of_one_image(two)
    if own:
        two.config["services"]["web"]["command"] = ["sh", "-c", "manage.py collectstatic && gunicorn x"]
    change = Change(file, "M", ("100644", "100644"))
    monkeypatch.setattr(inspect_git, "differ", lambda *_any: inspect_git.Diff([change], {}, [], 1))
    plan = back(two, strategy=strategy, **asked)["plan"]
    assert (plan["strategy"], plan["collect"]) == (strategy, collects)


def test_a_rollback_collects_where_it_is_not_known_what_differs(two, monkeypatch):
    monkeypatch.setattr(inspect_git, "differ", lambda *_any: inspect_git.Diff(None, None, [], 0))
    assert back(two)["plan"]["collect"] is True
    assert back(two, -1)["plan"]["collect"] is False


def test_a_rollback_over_files_changed_by_hand_is_refused(two):
    with open(two.app.path + "/docker-compose.yml", "a", encoding="utf-8") as file:
        file.write("# by hand\n")
    with pytest.raises(BadInputError, match=r"locally modified files: docker-compose\.yml; nothing was overwritten"):
        back(two)


def test_a_rollback_across_a_migration_without_a_way_back_stops_before_anything(two):
    def release(reversible: bool) -> list[dict]:
        pending = [{"app": "jobs", "name": "0002_b", "reversible": reversible}]
        first = done(1, two.commits[0], schema=Schema(["jobs.0001_a"]))
        second = done(2, two.commits[1], schema=Schema(["jobs.0001_a"], pending))
        journal.write(two.app.journal, [first, second])
        return pending

    release(reversible=False)
    with pytest.raises(BadInputError, match=r"jobs\.0002_b"):
        back(two, reverse_migrations=True)
    # It stays applied unless more is asked for.
    assert back(two)["migrations"][0]["name"] == "0002_b"
    pending = release(reversible=True)
    found = back(two)
    assert (found["migrations"], found["reverse_to"]) == (pending, {"jobs": "0001_a"})


def test_a_rollback_to_an_image_that_is_gone_is_refused(two):
    del two.names[f"jobs-web:juno-{two.commits[0][:12]}"]
    with pytest.raises(BadInputError, match="is no longer here"):
        back(two)


def test_a_project_of_another_name_is_told(world):
    world.config["name"] = "app"
    with pytest.raises(BadInputError, match="'app', not 'jobs': set 'project' to app"):
        back(world, -1)


def situation(world: World, entries: list[journal.Entry]):
    state = inspect.checkout.GitState(world.commits[1], "main", world.commits[1], "2", 0, 0, [])
    changes = inspect._Changes(entries, None, True)
    return inspect.situation(world.app, REQUEST, state, engine.find(world, "jobs"), changes, world.config)


UNDONE = journal.Entry(number=3, commit="c" * 40, outcome="failed", undone=True)


@pytest.mark.parametrize(
    ("entries", "serving", "failed", "pending"),
    [
        ([], "", False, False),
        ([done(2, "b" * 40)], "b" * 40, False, False),
        ([done(2, "b" * 40), UNDONE], "b" * 40, False, False),
        ([done(2, "b" * 40), dataclasses.replace(UNDONE, invalidation_pending=True)], "b" * 40, False, True),
        ([done(2, "b" * 40), dataclasses.replace(UNDONE, undone=False)], "", True, False),
    ],
)
def test_what_the_journal_says(world, entries, serving, failed, pending):
    seen = situation(world, entries)
    assert (seen.serving_commit, seen.last_failed, seen.invalidation_pending) == (serving, failed, pending)


@pytest.mark.parametrize(
    ("containers", "not_running", "match"),
    [
        ([], ("web",), False),
        ([("web-1", "sha256:2")], (), True),
        ([("web-1", "sha256:1")], (), False),
        ([("web-1", "sha256:2"), ("web-2", "sha256:1")], (), False),
        # Others than the app's own don't count.
        ([("web-1", "sha256:2"), ("memcached-1", "sha256:m")], (), True),
    ],
)
def test_what_runs(world, containers, not_running, match):
    for name, image in containers:
        world.add(name, image=image)
    seen = situation(world, [done(2, "b" * 40)])
    assert (seen.not_running, seen.images_match) == (not_running, match)


def test_the_facts_of_the_project(world):
    facts = inspect.compose_facts(world.app, "2.26.1", world.config)
    assert facts == {
        "version": "2.26.1",
        "files": ["docker-compose.yml"],
        "services": ["web"],
        "base_url": "http://127.0.0.1:8001",
        "code_mounted": True,
        "command_collects": False,
    }
    world.app = dataclasses.replace(world.app, worker_services=("celery",))
    world.config["services"]["celery"] = {"build": {}}
    assert inspect.compose_facts(world.app, "2.26.1", world.config)["code_mounted"] is False


@pytest.mark.parametrize(
    ("wanted", "strategy", "own_command", "plan", "collects"),
    [
        ("always", "rolling", True, {"static_changed": False}, True),
        ("never", "reload", False, {}, False),
        ("auto", "rolling", True, {}, False),
        ("auto", "rolling", False, {}, True),
        # The app's own command doesn't run then.
        ("auto", "reload", True, {}, True),
        ("auto", "reload", True, {"static_changed": False}, False),
        # What a front-end's build made lies in the clean checkout only.
        ("auto", "rolling", True, {"static_changed": False, "frontend": True}, True),
    ],
)
def test_who_collects_static_files(wanted, strategy, own_command, plan, collects):
    assert inspect.collects(wanted, strategy, plan_plan.Plan(**plan), own_command=own_command) == collects
