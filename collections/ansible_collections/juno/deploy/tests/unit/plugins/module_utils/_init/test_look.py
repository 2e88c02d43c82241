# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project is looked at as a whole, whatever of it can't be told, and nothing is changed."""

from __future__ import annotations

import dataclasses
import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine, ports
from ansible_collections.juno.deploy.plugins.module_utils._base import masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._init import ask_django, look, problems
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Given, Started
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import fake_engine
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._plan import plan_world

from . import sites

#: Fixtures.
world, two = plan_world.world, plan_world.two


@pytest.fixture
def asked(monkeypatch):
    """Let the site tell what the test says; return whom was asked."""
    answers, who = {}, []

    def ask(app, settings=""):
        who.append((app.project, app.service, settings))
        if "refuses" in answers:
            raise JunoError(answers["refuses"])
        return sites.asked(FACTS, answers.get("info"), **answers.get("more", {})).django

    monkeypatch.setattr(ask_django, "ask", ask)
    return answers, who


FACTS = look.Facts(Given("/srv/site"), look.App("/srv/site", "", "", (), (), "", "/state"), {}, ())


def given(world, **more):
    return Given(world.app.path, state_root=world.app.state_root, proxy_image="juno:1", **more)


def test_all_of_a_site_that_runs(two, asked):
    answers, who = asked
    answers["more"] = {"allowed_hosts": ("jobs.example.org",)}
    log = list(two.log)
    before = sorted(os.walk(os.path.dirname(two.app.path)))
    two.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    facts = look.find(two.run, given(two, others={"settings": "demo.live"}))
    assert (facts.app.service, facts.app.project, facts.release) == ("web", "jobs", 2)
    assert who == [("jobs", "web", "demo.live")]
    assert facts.strategy["strategy"] == "rolling"
    assert facts.quick_strategy["strategy_reasons"]
    assert facts.pulls_proxy
    assert sites.variables(facts)["host_header"] == "jobs.example.org"
    # Nothing was changed, and the lock not taken.
    assert [line for line in two.log if line not in log] == []
    assert sorted(os.walk(os.path.dirname(two.app.path))) == before


def test_the_result_of_the_module(two, asked):
    two.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    two.config["services"]["web"]["environment"] = {"API_TOKEN": "hunter2-hunter2"}
    asked[0]["refuses"] = "The settings can't be loaded: hunter2-hunter2"
    found = look.look(two.run, given(two), "x_")
    assert found["changed"] is False
    assert found["variables"]["x_path"] == two.app.path
    assert (found["service"], found["services"], found["strategy"]) == ("web", ["web"], "rolling")
    assert "x_path: " + two.app.path in found["entry"]
    assert "hunter2" not in str(found)
    assert f"not asked, since The settings can't be loaded: {masking.MASK}" in " ".join(found["entry"])


def test_a_site_that_does_not_run(world, asked):
    world.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    facts = look.find(world.run, given(world))
    assert asked[1] == []
    assert facts.why_not_asked == "no container of 'web' runs"
    assert facts.strategy["first_proxy"]


def test_an_engine_that_does_not_answer(world, monkeypatch):
    def refuse(_host=None):
        raise EngineError("The Docker Engine does not answer.")

    monkeypatch.setattr(engine, "connect", refuse)
    world.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    facts = look.find(world.run, given(world))
    assert facts.problems[0] == "The Docker Engine does not answer."
    assert (facts.app.service, facts.strategy) == ("web", {})
    assert "Nothing is in the way" not in sites.said(facts)


def test_an_image_that_the_engine_refuses_to_tell(world):
    def refuse(name):
        raise fake_engine.refusal(500, f"broken: {name}")

    world.inspect_image = refuse
    world.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    facts = look.find(world.run, given(world))
    assert "refused to look at the image of 'web' (broken: jobs-web)" in facts.problems[0]
    assert facts.app.service == "web"


def test_who_else_holds_the_usual_ports(world, asked, monkeypatch):
    heard = [ports.Listener("0.0.0.0", 443, "1"), ports.Listener("0.0.0.0", 22, "2")]
    monkeypatch.setattr(ports, "listeners", lambda: heard)
    monkeypatch.setattr(ports, "process_of", lambda inode: f"nginx, process {inode}")
    world.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    assert look.find(world.run, given(world)).held == {443: "nginx, process 1"}


def test_a_directory_that_is_not_there(world):
    with pytest.raises(BadInputError, match="There is no directory /nowhere on this host: set 'path'"):
        look.find(world.run, Given("/nowhere"))


def test_compose_files_that_only_the_containers_tell(world):
    os.rename(f"{world.app.path}/docker-compose.yml", f"{world.app.path}/prod.yml")
    with pytest.raises(BadInputError, match=r"prod\.yml: name the files"):
        look.app_of(given(world), [])
    app = look.app_of(given(world), [Started("jobs", ("prod.yml",))])
    assert app.compose_files == ("prod.yml",)
    open(f"{world.app.path}/other.yml", "w", encoding="utf-8").close()
    named = look.app_of(given(world, compose_files=("other.yml", "prod.yml")), [Started("jobs", ("prod.yml",))])
    assert named.compose_files == ("other.yml", "prod.yml")


def test_containers_of_another_name_are_asked_all_the_same(two, asked):
    two.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    for one in two.there.values():
        one["Labels"] |= {
            "com.docker.compose.project": "live",
            "com.docker.compose.project.config_files": f"{two.app.path}/docker-compose.yml",
        }
    facts = look.find(two.run, given(two))
    assert asked[1] == [("live", "web", "")]
    assert "put COMPOSE_PROJECT_NAME=live into its .env" in " ".join(facts.problems)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ports": []}, "publishes no port by a fixed number: set django_app_base_url"),
        ({"network_mode": "host", "ports": []}, "has network_mode host: set django_app_base_url"),
        ({"build": {"context": "/elsewhere"}}, "is built from /elsewhere, outside of the checkout"),
        ({"build": None, "image": "here/site:1", "volumes": []}, "runs the image here/site:1, which is not built from"),
    ],
)
def test_what_a_deploy_would_refuse_is_told(world, change, says):
    world.config["services"]["web"] |= {"command": ["gunicorn", "demo.wsgi"], **change}
    facts = look.find(world.run, given(world))
    assert says in " ".join(look.entry.texts(facts.problems, sites.PREFIX))
    assert "Nothing was changed" not in sites.said(facts)


def test_a_worker_that_is_set_and_not_there(world):
    world.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    facts = look.find(world.run, given(world, worker_services=("queue",)))
    assert "has no service 'queue'" in " ".join(facts.problems)


def test_https_that_can_not_be_known(two, asked):
    asked[0]["more"] = {"redirects_to_https": True}
    two.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    facts = look.find(two.run, given(two))
    assert "SECURE_PROXY_SSL_HEADER does not say" in facts.problems[-1]
    known = dataclasses.replace(facts, django=dataclasses.replace(facts.django, trusts_forwarded_proto=True))
    assert problems.of_django(known) == []


@pytest.mark.parametrize(
    ("hosts", "name", "allowed"),
    [
        (("*",), "jobs.example.org", True),
        (("jobs.example.org",), "Jobs.example.org:8001", True),
        ((".example.org",), "jobs.example.org", True),
        ((".example.org",), "example.org", True),
        ((".example.org",), "badexample.org", False),
        (("example.org",), "jobs.example.org", False),
        ((), "jobs.example.org", False),
    ],
)
def test_a_name_that_is_set_and_not_allowed(tmp_path, hosts, name, allowed):
    facts = sites.asked(sites.found(tmp_path, "usual", others={"host_header": name}), allowed_hosts=hosts)
    found = problems.of_django(facts)
    assert (found == []) is allowed
    assert allowed or f"has not {name}, by which the checks ask" in found[0]


def test_a_journal_that_can_not_be_read(two, asked):
    two.config["services"]["web"]["command"] = ["gunicorn", "demo.wsgi"]
    with open(two.app.journal, "w", encoding="utf-8") as file:
        file.write("{")
    with pytest.raises(JunoError):
        journal.read(two.app.journal)
    facts = look.find(two.run, given(two))
    assert facts.app.service == "web"
    assert asked[1] == []
