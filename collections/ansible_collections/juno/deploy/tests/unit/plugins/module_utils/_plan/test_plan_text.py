# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What begins, and why, as lines for a person."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._plan.plan_text import ROUTES_MOVED, PlanContext, lines

NEW, OLD = "1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112", "8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112"
COMMIT, IS_NEW = "Commit: 1f5d0b1c2a3e A new front page", f"release {OLD[:12]} serves, {NEW[:12]} is new"
DEPLOY, NO_BUILD = f"Deploy: yes, {IS_NEW}", "Build:  no"
RELOAD, ROLLING = "Switch: reload", "Switch: rolling"
TYPO = "django_app_check_url is no variable of this role; did you mean django_app_check_urls?"
STANDS = "The migration jobs.0003_level of release 7 stays applied (jobs.0003_level: it is irreversible)."
FIRST_PROXY = (
    "Notice: the proxy takes over the app's ports for the first time; while they change hands nobody is answered for a "
    "moment"
)
FRONT = (
    "Notice: nginx, caddy is recreated once, so that it finds the site through the proxy juno-edge; nobody is answered "
    "at its ports meanwhile, for about a second"
)
SALARY = "jobs.0004_salary (AddField jobs.job.salary)"
DEMANDS = (
    "Notice: the older code can't add rows, since it doesn't know jobs_job.level, jobs_job.rank, which must not be "
    "null and has no default in the database: give it one (db_default), or reverse the migrations, too "
    "('reverse_migrations')"
)


def begun(more_plan=None, **more):
    plan = {
        "deploy": True, "build": False, "reasons": [IS_NEW], "build_reasons": [], "words": [], "strategy": "reload",
        "strategy_reasons": [], "first_proxy": False, "proxy": [],
    }  # fmt: skip
    base = {"git": {"target_commit": NEW, "target_subject": "A new front page"}, "taken_over": "", "recovered": {}}
    return {**base, "workers_words": "", "notices": [], "plan": {**plan, **(more_plan or {})}, **more}


def back(**more):
    """Return what the begin of a rollback or a restart finds, whose plan knows no files."""
    asked = {"deploy": True, "build": False, "reasons": ["it was asked for"], "build_reasons": []}
    switch = {"strategy": "rolling", "strategy_reasons": [], "first_proxy": False}
    return {**begun(target={"number": 5, "commit": NEW}, migrations=[], **more), "plan": {**asked, **switch}}


FIRST = begun(
    {
        "build": True,
        "reasons": ["no release of this app is recorded here yet", f"the checkout is at {OLD[:12]}"],
        "build_reasons": ["there is no good release to take the image from"],
        "words": ["memcached has no container yet: it is started, since web depends on it"],
        "strategy": "rolling",
        "first_proxy": True,
        "proxy": ["behind the proxy REMOTE_ADDR is its address"],
    },
    workers_words="worker, beat (found: they share the image of web)",
)
TEMPLATE = begun(
    {
        "words": [
            "start new workers: template (templates/home.html)",
            "clear the caches: template (templates/home.html)",
            "Notice: db: its configuration is not what its container was made with, and it is not touched",
        ]
    }
)
BUILD = begun(
    {
        "build": True,
        "build_reasons": ["the code is in the image, not mounted", "requirements.txt changed"],
        "strategy": "rolling",
        "strategy_reasons": ["not reload, because an image is to be built (requirements.txt changed)"],
    },
    notices=["/ is answered with 302 by release 7, which serves"],
)
NOTHING = begun(
    {"deploy": False, "reasons": [f"nothing changed that the site reads since {OLD[:12]} (doc: README.md)"]}
)
UNDONE = {"number": 7, "finished": False, "undone": True, "problems": ["db is gone", "x, too"], "words": STANDS}
LATER = [{"app": "jobs", "name": "0003_level"}, {"app": "jobs", "name": "0004_salary"}]

ROUTES = f"Notice: {ROUTES_MOVED}".format(front="'traefik'")
CASES = {
    "the first deploy": (
        FIRST,
        PlanContext("deploy"),
        [
            COMMIT,
            "Deploy: yes, no release of this app is recorded here yet; the checkout is at 8f5d0b1c2a3e",
            "Build:  yes, there is no good release to take the image from",
            "Needs:  memcached has no container yet: it is started, since web depends on it",
            "Workers: worker, beat (found: they share the image of web)",
            ROLLING,
            FIRST_PROXY,
            "Notice: behind the proxy REMOTE_ADDR is its address",
        ],
    ),
    "a template": (
        TEMPLATE,
        PlanContext("deploy"),
        [
            COMMIT,
            DEPLOY,
            NO_BUILD,
            "Needs:  start new workers: template (templates/home.html)",
            "        clear the caches: template (templates/home.html)",
            "        Notice: db: its configuration is not what its container was made with, and it is not touched",
            RELOAD,
        ],
    ),
    "a new image": (
        BUILD,
        PlanContext("deploy", notices=(TYPO,)),
        [
            COMMIT,
            DEPLOY,
            "Build:  yes, the code is in the image, not mounted; requirements.txt changed",
            "Switch: rolling; not reload, because an image is to be built (requirements.txt changed)",
            f"Notice: {TYPO}",
            "Notice: / is answered with 302 by release 7, which serves",
        ],
    ),
    "notices alone": (
        begun({"words": ["Notice: COMPOSE_FILE names compose.yaml"]}),
        PlanContext("deploy"),
        [COMMIT, DEPLOY, NO_BUILD, "Notice: COMPOSE_FILE names compose.yaml", RELOAD],
    ),
    "nothing to do": (
        NOTHING,
        PlanContext("deploy", notices=(TYPO,)),
        [
            COMMIT,
            "Deploy: no, nothing changed that the site reads since 8f5d0b1c2a3e (doc: README.md)",
            NO_BUILD,
            f"Notice: {TYPO}",
        ],
    ),
    "a run that died was undone": (
        begun(taken_over="rohit@laptop, at work since 2026-01-31T10:00:00Z", recovered=UNDONE),
        PlanContext("deploy"),
        [
            "Taken over from rohit@laptop, at work since 2026-01-31T10:00:00Z and gone without a word",
            "Picked up: release 7 was interrupted and is undone: what served before serves, but db is gone; and x, too",
            f"Notice: {STANDS}",
            COMMIT,
            DEPLOY,
            NO_BUILD,
            RELOAD,
        ],
    ),
    "a run that died was finished": (
        begun(recovered={"number": 7, "finished": True, "undone": False}),
        PlanContext("deploy"),
        ["Picked up: release 7 was interrupted and is finished: it serves", COMMIT, DEPLOY, NO_BUILD, RELOAD],
    ),
    "a run that died left what it started": (
        begun(recovered={"number": 7, "finished": False, "undone": False, "words": STANDS}),
        PlanContext("deploy"),
        [
            "Picked up: release 7 was interrupted and is failed, and not undone",
            f"Notice: {STANDS}",
            COMMIT,
            DEPLOY,
            NO_BUILD,
            RELOAD,
        ],
    ),
    "a rollback with its migrations": (
        back() | {"migrations": LATER, "losses": [SALARY], "demands": []},
        PlanContext("rollback", reverse_migrations=True),
        [
            "Back to: release 5",
            COMMIT,
            "Rollback: yes, it was asked for",
            "Migrations that came later: 0003_level, 0004_salary, reversed after the switch",
            f"Notice: data are lost by reversing {SALARY}; the data from before stay in a copy only",
            NO_BUILD,
            ROLLING,
        ],
    ),
    "a rollback without them": (
        back() | {"migrations": LATER[:1], "losses": [], "demands": ["jobs_job.level", "jobs_job.rank"]},
        PlanContext("rollback"),
        [
            "Back to: release 5",
            COMMIT,
            "Rollback: yes, it was asked for",
            "Migrations that came later: 0003_level, left applied ('reverse_migrations' reverses them)",
            DEMANDS,
            NO_BUILD,
            ROLLING,
        ],
    ),
    "a rollback to where no migration came": (
        back(),
        PlanContext("rollback"),
        ["Back to: release 5", COMMIT, "Rollback: yes, it was asked for", NO_BUILD, ROLLING],
    ),
    "a front proxy": (
        begun({"front_recreated": ["nginx", "caddy"], "proxy": ["its image is pulled first"]}, notices=["it is slow"]),
        PlanContext("deploy"),
        [COMMIT, DEPLOY, NO_BUILD, RELOAD, "Notice: it is slow", FRONT, "Notice: its image is pulled first"],
    ),
    "routes by labels": (
        begun({"routes_moved": "'traefik'"}),
        PlanContext("deploy"),
        [COMMIT, DEPLOY, NO_BUILD, RELOAD, ROUTES],
    ),
    "images of a registry": (
        begun({"build": True, "pulls": True, "build_reasons": ["shop is another image in its registry by now"]}),
        PlanContext("deploy"),
        [COMMIT, DEPLOY, "Pull:   yes, shop is another image in its registry by now", RELOAD],
    ),
    "a restart of a commit without a subject": (
        back(git={"target_commit": NEW, "target_subject": ""}),
        PlanContext("restart"),
        ["Commit: 1f5d0b1c2a3e", "Restart: yes, it was asked for", NO_BUILD, ROLLING],
    ),
}


@pytest.mark.parametrize(("found", "context", "expected"), CASES.values(), ids=CASES)
def test_the_plan(found, context, expected):
    assert lines(found, context) == expected
