# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback and a restart find, and what they refuse."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import gunicorn
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git.diff import Change
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_git, inspect_offline
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Schema
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

from . import plan_world
from .plan_world import REQUEST, done

#: The fixtures.
world, two = plan_world.world, plan_world.two


def test_a_reload_can_not_bring_a_new_configuration(two, monkeypatch):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    first, second = journal.read(two.app.journal)
    second = dataclasses.replace(second, configurations={"web": ["another", "one"]})
    journal.write(two.app.journal, [first, second])
    plan = back(two, -1, strategy="reload")["plan"]
    assert plan["strategy"] == "rolling"
    assert "the configuration of web has changed, which only a new container has" in plan["strategy_reasons"][0]


def of_one_image(world: World) -> None:
    """Let both releases have run the same image."""
    world.names[f"jobs-web:juno-{world.commits[0][:12]}"] = "sha256:2"
    entries = journal.read(world.app.journal)
    journal.write(world.app.journal, [dataclasses.replace(one, images={"web": "sha256:2"}) for one in entries])


def back(world: World, release: int = 0, **request) -> dict:
    return inspect_offline.look(world.run, world.app, dataclasses.replace(REQUEST, **request), release)


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


def look_with(world, monkeypatch, target, known, release=0, **request):
    """Look back to a release whose compose file says other things (target) than the checkout's."""
    first, second = journal.read(world.app.journal)
    configurations = inspect_offline.strategy_plan.compose_config.digests(known, ("web",))
    journal.write(world.app.journal, [first, dataclasses.replace(second, configurations=configurations)])
    monkeypatch.setattr(inspect_offline.compose_target, "wanted_config", lambda *_any: target)
    return back(world, release, **request)


LABELLED = {"traefik.http.routers.web.rule": "Host(`jobs.example`)"}


def test_what_the_release_before_had_configured_is_told(two, monkeypatch):
    monkeypatch.setattr(gunicorn, "why_not", lambda _client, _site, *, proxy: "")
    of_one_image(two)
    target = {**two.config, "services": {"web": {**two.config["services"]["web"], "labels": LABELLED}}}
    found = look_with(two, monkeypatch, target, two.config, strategy="reload")
    assert found["configuration"] is target
    assert found["plan"]["words"] == [
        (
            "Notice: the configuration of web is another one in release 1 than in release 2, which serves: new "
            "containers get that of release 1"
        )
    ]
    # A reload would leave the containers the newer one.
    assert found["plan"]["strategy"] == "rolling"
    assert "the configuration of web has changed" in found["plan"]["strategy_reasons"][0]


@pytest.mark.parametrize("release", [0, -1])
def test_where_the_configuration_is_the_same_nothing_is_told(two, monkeypatch, release):
    found = look_with(two, monkeypatch, two.config, two.config, release)
    assert (found["plan"]["words"], found["configuration"]) == ([], two.config)


def test_compose_files_of_another_folder_are_left_to_the_switch(two, monkeypatch):
    def moved(*_any):
        raise BadInputError("its paths count from another folder")

    monkeypatch.setattr(inspect_offline.compose_target, "wanted_config", moved)
    assert back(two)["configuration"] == two.config


def test_a_front_proxy_that_keeps_pages_is_told_before_a_rollback(two):
    said = "http { server { location / {\nproxy_pass http://web:8000;\nproxy_cache pages;\n} } }"
    two.config["services"]["nginx"] = {"image": "nginx", "configs": ["site"]}
    two.config["configs"] = {"site": {"content": said}}
    (line,) = back(two)["plan"]["words"]
    assert line.startswith("Notice: 'nginx' keeps pages in a cache of its own")
    assert back(two, -1)["plan"]["words"] == []


def test_a_rollback_over_files_changed_by_hand_is_refused(two):
    with open(two.app.path + "/docker-compose.yml", "a", encoding="utf-8") as file:
        file.write("# by hand\n")
    with pytest.raises(BadInputError, match=r"locally modified files: docker-compose\.yml; nothing was overwritten"):
        back(two)


def test_a_rollback_across_an_irreversible_migration_stops_before_anything(two):
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


def test_of_one_commit_the_release_with_another_pulled_image_is_gone_back_to(two):
    commit = two.commits[1]
    two.config["services"]["web"] = {**two.config["services"]["web"], "image": "ghcr.io/me/jobs", "build": None}
    two.unnamed |= {"sha256:1", "sha256:2"}
    journal.write(two.app.journal, [done(1, commit), done(2, commit)])
    found = back(two)
    assert found["target"] == {"number": 1, "commit": commit}
    assert (found["images"], found["serving_images"]) == ({"web": "sha256:1"}, {"web": "sha256:2"})


def test_a_pulled_image_that_is_gone_can_be_brought_back(two):
    two.config["services"]["web"] = {**two.config["services"]["web"], "image": "ghcr.io/me/jobs", "build": None}
    journal.write(
        two.app.journal,
        [done(3, two.commits[0], pulled={"web": "ghcr.io/me/jobs@sha256:d"}), done(2, two.commits[1])],
    )
    with pytest.raises(
        BadInputError, match=r"bring it back \(docker pull ghcr\.io/me/jobs@sha256:d\), go back to a newer"
    ):
        back(two)


def test_a_project_of_another_name_is_told(world):
    world.config["name"] = "app"
    with pytest.raises(BadInputError, match="'app', not 'jobs': set 'project' to app"):
        back(world, -1)
