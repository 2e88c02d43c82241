# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: a table of situations."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan as plan_plan
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan_words
from ansible_collections.juno.deploy.plugins.module_utils._rules import change as rules_change
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules

OLD, NEW = "a" * 40, "b" * 40


def needs(*paths: str) -> rules_change.Needs:
    changes = [diff.Change(path, "M", ("100644", "100644")) for path in paths]
    around = rules_change.Surroundings(
        lambda _path: rules_change.Seen(by_mount=True, by_image=False), own_frontend=True
    )
    return rules_change.sort_out(changes, rules.Rules(), around)


SERVED = plan_plan.Situation(
    checkout_commit=NEW,
    target_commit=NEW,
    serving_commit=NEW,
    last_failed=False,
    not_running=(),
    images_match=True,
    needs=needs(),
    code_mounted=True,
    always_build=False,
    force=False,
)
BEHIND = dataclasses.replace(SERVED, checkout_commit=OLD, serving_commit=OLD, needs=needs("templates/home.html"))


@pytest.mark.parametrize("mounted", [True, False])
def test_a_configuration_that_a_person_changed_is_deployed(mounted):
    at = dataclasses.replace(SERVED, reconfigured=("web", "queue"), code_mounted=mounted)
    plan = plan_plan.make(at)
    assert (plan.deploy, plan.build, plan.clear) == (True, False, "all")
    assert plan.reasons == ["the configuration of web, queue has changed (.env, or a compose file by hand)"]
    plan = plan_plan.make(dataclasses.replace(at, rebuilt=("web",)))
    assert plan.build
    assert "the way that web is built has changed (.env, or a compose file by hand)" in plan.build_reasons


def test_what_serves_is_left_alone_even_by_a_full_deploy():
    plan = plan_plan.make(dataclasses.replace(SERVED, always_build=True))
    assert (plan.deploy, plan.build) == (False, False)
    assert plan.reasons == ["bbbbbbbbbbbb serves already"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"force": True}, "it was asked for"),
        ({"last_failed": True, "serving_commit": ""}, "the last deploy did not end well"),
        ({"serving_commit": ""}, "no release of this app is recorded here yet"),
        ({"serving_commit": OLD}, "release aaaaaaaaaaaa serves, bbbbbbbbbbbb is new"),
        ({"serving_commit": OLD, "rewritten": True}, "though the branch no longer has it, bbbbbbbbbbbb is new"),
        ({"checkout_commit": OLD}, "the checkout is at aaaaaaaaaaaa"),
        ({"not_running": ("web",)}, "no container runs for: web"),
        ({"images_match": False}, "a container runs another image than the one that was deployed"),
    ],
)
def test_every_drift_is_a_reason(change, reason):
    # A commit that only brings documents deploys nothing by itself.
    plan = plan_plan.make(dataclasses.replace(SERVED, needs=needs("templates/home.html"), **change))
    assert plan.deploy
    assert reason in "; ".join(plan.reasons)


@pytest.mark.parametrize(
    ("change", "deploy"),
    [
        ({}, False),
        # A full deploy does everything whatever changed, and these need it for other reasons.
        ({"always_build": True}, True),
        ({"force": True}, True),
        ({"checkout_commit": "c" * 40}, True),
        ({"not_running": ("web",)}, True),
        ({"images_match": False}, True),
        ({"invalidation_pending": True}, True),
        # A person has pulled: the files are those of the commit.
        ({"checkout_commit": NEW}, False),
    ],
)
def test_a_change_of_the_documents_deploys_nothing(change, deploy):
    plan = plan_plan.make(dataclasses.replace(BEHIND, needs=needs("README.md", "docs/x.rst"), **change))
    assert plan.deploy is deploy
    if not deploy:
        assert plan.reasons == [
            "nothing changed that the site reads since aaaaaaaaaaaa (documentation: README.md, docs/x.rst)"
        ]


@pytest.mark.parametrize(
    ("change", "build"),
    [
        ({}, False),
        ({"always_build": True}, True),
        # What is seen by mounts alone: each file tells whether it needs a build.
        ({"code_mounted": False}, False),
        ({"needs": None}, True),
        ({"images_match": False}, True),
        ({"last_failed": True}, True),
        ({"needs": needs("app/requirements/base.txt")}, True),
        ({"needs": needs("README.md", "Dockerfile")}, True),
    ],
)
def test_when_a_quick_deploy_builds(change, build):
    assert plan_plan.make(dataclasses.replace(BEHIND, **change)).build is build


@pytest.mark.parametrize(
    ("paths", "clear", "static", "frontend", "translate"),
    [
        (["templates/home.html"], "all", False, True, False),
        (["static/a.css"], "naming", True, False, False),
        (["static/a.css", "jobs/views.py"], "all", True, True, False),
        (["src/a.scss"], "naming", True, True, False),
        (["locale/de/LC_MESSAGES/django.po"], "all", False, True, True),
    ],
)
def test_what_a_quick_deploy_does(paths, clear, static, frontend, translate):
    plan = plan_plan.make(dataclasses.replace(BEHIND, needs=needs(*paths), own_frontend=True))
    assert (plan.clear, plan.static_changed, plan.frontend, plan.translate) == (
        clear,
        static,
        frontend,
        translate,
    )


@pytest.mark.parametrize(
    "change", [{"force": True}, {"always_build": True}, {"invalidation_pending": True}, {"needs": None}]
)
def test_where_more_is_wrong_everything_that_can_be_old_is_made_new(change):
    plan = plan_plan.make(dataclasses.replace(BEHIND, **{"needs": needs("static/a.css"), **change}))
    assert (plan.clear, plan.static_changed) == ("all", True)


NEWER = ("shop is another image in its registry by now",)


@pytest.mark.parametrize(
    ("change", "build", "why"),
    [
        ({"newer_images": NEWER}, True, list(NEWER)),
        (
            {"newer_images": NEWER, "always_build": True},
            True,
            ["a deploy pulls, a quick deploy only when it must", *NEWER],
        ),
        # Beside what is built.
        ({"newer_images": NEWER, "pulls": False}, True, list(NEWER)),
        ({}, False, []),
    ],
)
def test_another_image_in_a_registry_is_deployed_without_a_commit(change, build, why):
    plan = plan_plan.make(dataclasses.replace(SERVED, **{"pulls": True, **change}))
    assert (plan.deploy, plan.build, plan.pulls) == (build, build, change.get("pulls", True))
    assert plan.build_reasons == why
    if build:
        # Nobody knows what is another one in it.
        assert (plan.reasons, plan.clear, plan.static_changed) == (list(NEWER), "all", True)


def test_where_nothing_is_built_images_are_pulled_in_all_words():
    changed = needs("requirements.txt")
    plan = plan_plan.make(dataclasses.replace(BEHIND, needs=changed, pulls=True))
    assert plan_words.words(plan, changed)[0] == "pull the images: image (requirements.txt)"
    text = plan_words.difference(OLD, NEW, [], 0, changed, pulls=True)["prepared"]
    assert "Files behind: pull the images\n  requirements.txt\n" in text


def test_without_an_own_front_end_none_is_built():
    assert plan_plan.make(dataclasses.replace(BEHIND, force=True)).frontend is False


def test_a_pending_invalidation_is_a_reason_but_none_to_build():
    plan = plan_plan.make(dataclasses.replace(SERVED, invalidation_pending=True))
    assert (plan.deploy, plan.build) == (True, False)
    assert plan.reasons == ["the caches may hold pages of a release that was undone"]


def test_the_words_name_the_files_behind_each_step():
    changed = needs("static/a.css", "jobs/views.py", "README.md")
    changed.notices.append("nginx.conf is mounted")
    plan = plan_plan.make(dataclasses.replace(BEHIND, needs=changed))
    assert plan_words.words(plan, changed) == [
        "collect static files: static file (static/a.css)",
        "start new workers: code, static file (static/a.css, jobs/views.py)",
        "clear the caches: code (jobs/views.py)",
        "nothing for: documentation (README.md)",
        "Notice: nginx.conf is mounted",
    ]


def test_the_diff_has_commits_files_migrations_and_static_files():
    changed = needs("static/a.css", "jobs/migrations/0002_b.py", "docs/a\nb.md")
    text = plan_words.difference(OLD, NEW, ["b1 Newer", "a1 Older"], 22, changed)["prepared"]
    assert text.startswith("Commits aaaaaaaaaaaa..bbbbbbbbbbbb\n  b1 Newer\n  a1 Older\n  and 20 more\n")
    assert "Files behind: collect static files\n  static/a.css\n" in text
    assert "Files that need nothing\n  'docs/a\\nb.md' (documentation)\n" in text
    assert "Migrations\n  ~ jobs.0002_b\n" in text
    assert "Static files\n  ~ static/a.css\n" in text
    assert "can't be told" in plan_words.difference("", NEW, [], 0, None)["prepared"]
