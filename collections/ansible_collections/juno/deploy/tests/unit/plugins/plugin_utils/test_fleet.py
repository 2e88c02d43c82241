# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a play: whose failure it is, whose turn, and the last message of each."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.filter import release
from ansible_collections.juno.deploy.plugins.plugin_utils import _fleet
from ansible_collections.juno.deploy.plugins.plugin_utils._fleet import Cause, Host

WELL = Host("a", began=True, goes_back=True)
BROKEN = Host("b", began=True, goes_back=True, failed_task="Verify", reason="/ is wrong.")
BROKEN_TOO = Host("c", began=True, goes_back=True, failed_task="Switch", reason="It ended.")
LOST = Host("d", began=True)
DONE = Host("e", began=True, done="c1")
IDLE = Host("f")
UNDONE = {"undone": True, "serves": True, "number": 3, "standing": []}


@pytest.mark.parametrize(
    ("me", "others", "cause"),
    [
        (BROKEN, [WELL, BROKEN_TOO], Cause("Verify", "/ is wrong.")),
        (WELL, [BROKEN], Cause("Verify", "/ is wrong.", ("b",))),
        (WELL, [IDLE, BROKEN, BROKEN_TOO], Cause("Verify", "/ is wrong.", ("b", "c"))),
        (WELL, [DONE, IDLE, LOST], Cause("Reach the host", "It can't be reached any more.", ("d",))),
        (WELL, [LOST, BROKEN], Cause("Verify", "/ is wrong.", ("b",))),
        (WELL, [], Cause("Reach the host", "It can't be reached any more.", ("another host of this play",))),
    ],
)
def test_the_first_cause(me, others, cause):
    assert _fleet.first_cause(me, others) == cause


HERE, THERE = Cause("Verify", "/ is wrong."), Cause("Verify", "/ is wrong.", ("b",))
SERVES = "What served before serves; nothing of release 3 is left."
FAILED = {"failed": True, "msg": "The Engine is gone."}
LOST_SINCE = {"unreachable": True, "msg": "no route"}
VERIFIED, NOTHING = {"undone": False, "number": 3}, {"undone": False, "number": 0}


@pytest.mark.parametrize(
    ("cause", "undone", "sentences"),
    [
        (HERE, UNDONE, [SERVES]),
        (THERE, UNDONE, ["a was well and goes back, so that all hosts serve the same release.", SERVES]),
        (HERE, {**UNDONE, "serves": False}, ["Nothing served before, and nothing of release 3 is left."]),
        (
            HERE,
            {**UNDONE, "standing": ["jobs.0003"], "words": "The migration jobs.0003 stays applied."},
            ["What served before serves. The migration jobs.0003 stays applied."],
        ),
        (
            HERE,
            {**UNDONE, "undone": False, "words": "The migration jobs.0003 stays applied."},
            ["The migration jobs.0003 stays applied."],
        ),
        (
            HERE,
            {**UNDONE, "broken": ["jobs.Job: no such column"], "words": "The migration jobs.0003 stays applied."},
            [
                "The release before runs again, but the database is no longer what its code needs.",
                "The migration jobs.0003 stays applied.",
            ],
        ),
        (
            HERE,
            {**UNDONE, "problems": ["nobody answers"]},
            ["What served before was brought back, but nobody answers."],
        ),
        (
            HERE,
            FAILED,
            [
                (
                    "And what served before could not be brought back: The Engine is gone. a goes on trying: see "
                    "playbooks/status.yml."
                )
            ],
        ),
        (
            HERE,
            {**FAILED, "msg": "The deployer is not there any more.", "deployer": "gone"},
            ["The deployer is not there any more."],
        ),
        (
            THERE,
            LOST_SINCE,
            ["a was well.", "And this host can't be reached any more, so it brings back by itself what served before."],
        ),
        (HERE, VERIFIED, ["But release 3 is verified and serves, and the next deploy tidies up after it."]),
        (HERE, NOTHING, []),
    ],
)
def test_the_last_message(cause, undone, sentences):
    expected = [f"Not done: 'Verify' failed on {'b' if cause.hosts else 'a'}. / is wrong.", *sentences]
    assert _fleet.not_done(WELL, cause, [], undone) == " ".join(expected)


def test_what_else_is_said_comes_after_the_cause():
    result = _fleet.not_done(WELL, THERE, ["e"], {**UNDONE, "not_cleared": "memcached is silent."})
    assert result == (
        f"Not done: 'Verify' failed on b. / is wrong. a was well and goes back. {SERVES} And pages of it may be left "
        "in the caches, which could not be cleared (memcached is silent): the next deploy does that. The new release "
        "serves on e, where it was done before."
    )


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"msg": "It broke"}, "It broke."),
        ({"msg": " It broke! "}, "It broke!"),
        ({}, _fleet.NO_REASON),
        ({"msg": "One or more items failed", "results": [{"msg": "good"}, {"failed": True, "msg": "bad"}]}, "bad."),
        ({"msg": "All items completed", "results": [{"failed": True}]}, "All items completed."),
    ],
)
def test_the_reason_of_a_task(failure, reason):
    assert _fleet.reason_of(failure) == reason


def begun(strategy="rolling", *, deploy=True, published=True, **more):
    container = {"state": "running", "published": [{"private_port": 8000}] if published else []}
    plan = {"deploy": deploy, "strategy": strategy, "first_proxy": False, **more}
    return {"django_app__begun": {"begun": deploy, "plan": plan, "containers": [container]}}


@pytest.mark.parametrize(
    ("facts", "gap"),
    [
        (begun(), False),
        (begun("reload"), False),
        (begun("recreate"), True),
        (begun("recreate", published=False), False),
        (begun("recreate", deploy=False), False),
        (begun(first_proxy=True), True),
        (begun(first_proxy=True, published=False), False),
        (begun(front_recreated=["nginx"]), True),
        (begun(routes_moved="'traefik'"), True),
        (begun(front_recreated=[]), False),
        (begun(front_recreated=["nginx"], deploy=False), False),
        (begun(front_recreated=["nginx"], published=False), False),
        ({}, False),
        ({"django_app__begun": {"failed": True}}, False),
    ],
)
def test_who_stops_for_a_moment_takes_turns(facts, gap):
    hostvars = {"a": facts, "b": begun()}
    assert release.release_turns(hostvars, ["a", "b"]) == (["a", "b"] if gap else [_fleet.ALL_AT_ONCE])
    assert release.release_turns(hostvars, ["a"]) == [_fleet.ALL_AT_ONCE]


def failed(task, **more):
    return {**begun(**more), "django_app__failed_task": task, "django_app__failure": {"msg": "Wrong."} if task else {}}


def test_who_goes_back_at_once():
    together = {"a": failed(""), "b": failed("Verify"), "c": begun()}
    assert release.release_turns_back(together, list("abc")) == [["b", "a"]]
    in_turn = {name: {**facts, **begun("recreate")} for name, facts in together.items()}
    assert release.release_turns_back(in_turn, list("abc")) == [["b"], ["a"]]


def test_a_failure_that_is_not_rescued_now_is_another_ones():
    hostvars = {"a": failed(""), "b": failed("Verify"), "old": failed("Switch")}
    cause = release.release_cause(hostvars, "a", ["b"], ["old", "a", "b"])
    assert cause == {"task": "Verify", "reason": "Wrong.", "hosts": ["b"], "recorded": "on b, not here: Wrong."}
    assert release.release_cause(hostvars, "b", ["b"], ["old", "a", "b"])["recorded"] == "Wrong."


def test_hosts_that_were_done_before_are_told():
    git = {"git": {"target_commit": "c1"}}
    me = {**failed("Verify"), "django_app__cause": {"task": "Verify", "reason": "Wrong.", "hosts": []}}
    me["django_app__begun"] = {**me["django_app__begun"], **git}
    done = {**begun(), "django_app__recorded": {"release": {"commit": "c1"}}}
    other = {**begun(), "django_app__recorded": {"release": {"commit": "c0"}}}
    result = release.release_not_done({"a": me, "d": done, "o": other}, "a", ["a", "d", "o"], UNDONE)
    assert (
        result
        == f"Not done: 'Verify' failed on a. Wrong. {SERVES} The new release serves on d, where it was done before."
    )


@pytest.mark.parametrize(
    ("served", "lines"),
    [
        ({"a": ["c" * 40], "b": ["c" * 40]}, ["All hosts agree:", "  cccccccccccc: a, b"]),
        (
            {"a": ["c" * 40], "b": ["d" * 40], "e": ["c" * 40]},
            [
                "Hosts serve different commits: deploy to all of them at once.",
                "  cccccccccccc: a, e",
                "  dddddddddddd: b",
            ],
        ),
        (
            {"a": ["c" * 40], "b": None},
            [
                "All hosts that could be looked at serve the same commit:",
                "  cccccccccccc: a",
                "  not known, could not be looked at: b",
            ],
        ),
        (
            {"a": ["c" * 40, ""], "b": []},
            [
                "Hosts serve different commits: deploy to all of them at once.",
                "  cccccccccccc and a commit that is not known: a",
                "  nothing: b",
            ],
        ),
    ],
)
def test_which_hosts_serve_what(served, lines):
    looks = {
        name: {} if commits is None else {"django_app__look": {"serves": commits}} for name, commits in served.items()
    }
    assert release.release_hosts(looks, list(served)) == lines
