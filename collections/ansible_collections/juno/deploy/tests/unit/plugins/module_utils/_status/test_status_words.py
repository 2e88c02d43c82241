# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as a person reads it."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before
from ansible_collections.juno.deploy.plugins.module_utils._status import status, status_words

OLD, NEW = "a" * 40, "b" * 40
OLD_IMAGE, NEW_IMAGE = "sha256:" + "1" * 64, "sha256:" + "2" * 64
RELEASE_1 = Entry(
    number=1,
    commit=OLD,
    outcome="done",
    strategy="rolling",
    who="root@laptop",
    started="2026-01-31T10:00:00Z",
    ended="2026-01-31T10:00:14Z",
    containers={"i1": "web"},
    images={"web": OLD_IMAGE},
)
RELEASE_2 = dataclasses.replace(
    RELEASE_1,
    number=2,
    commit=NEW,
    started="2026-02-01T10:00:00Z",
    images={"web": NEW_IMAGE},
    containers={"i2": "web"},
    ended="2026-02-01T10:01:40Z",
)
STARTED = dataclasses.replace(RELEASE_2, outcome="started", step="switched", ended="")
FAILURE = {"task": "Verify", "reason": "No Edition 2."}
UNDONE = dataclasses.replace(RELEASE_2, outcome="failed", undone=True, figures=FAILURE)
HOLDER = {
    "id": "x",
    "who": "root@laptop",
    "address": "203.0.113.5",
    "purpose": "rollback",
    "since": "2026-02-01T10:00:00Z",
}
#: As a deployer stands that has begun a step and was heard just now.
STANDING = {
    "id": "x",
    "step": "switch",
    "seconds": 12.4,
    "usual": 0,
    "event": "",
    "last_step": "switch",
    "silent_seconds": 0.9,
    "next_step_timeout_seconds": 60.0,
    "cancel_reason": "",
    "over": False,
}
WEB_1 = engine.Container("i1", "app-web-1", "web", 1, "running", OLD_IMAGE, (), (), status="Up 3 hours")
WEB_2 = engine.Container("i2", "app-web-2", "web", 2, "running", NEW_IMAGE, (), (), status="Up 3 seconds")
PROXY = engine.Container("e1", "app-juno-edge-1", "juno-edge", 1, "running", "sha256:3", (), (), status="Up 3 hours")
GOOD = status.Seen(
    path="/root/app",
    services=("web",),
    entries=[RELEASE_1],
    containers=[WEB_1, PROXY],
    tags={
        OLD_IMAGE: ("app-web:juno-aaaaaaaaaaaa",),
        NEW_IMAGE: ("app-web:juno-bbbbbbbbbbbb", "app-web:latest"),
        "sha256:3": ("haproxy:3.0",),
    },
    checkout=status.Checkout(OLD, "A new front page"),
    proxy=status.ProxyFiles(expected=True),
)


def test_all_agree():
    assert status_words.summary(GOOD, []) == [
        "All agree: release 1 serves",
        "Release:  1 done, aaaaaaaaaaaa, deploy (rolling), by root@laptop, started 2026-01-31T10:00:00Z, took 14 s",
        "Checkout: aaaaaaaaaaaa A new front page",
        "Serving:  app-web-1        Up 3 hours  app-web:juno-aaaaaaaaaaaa  release 1, aaaaaaaaaaaa",
        "          app-juno-edge-1  Up 3 hours  haproxy:3.0                the proxy",
    ]


def test_a_container_of_a_service_that_is_gone_is_told():
    old = dataclasses.replace(WEB_2, id="o1", name="app-old-1", service="old", image_id="sha256:3", state="exited")
    seen = dataclasses.replace(GOOD, containers=[WEB_1, old], left_over=[old])
    assert status_words.summary(seen, [])[-1].endswith("haproxy:3.0                of no service any more")


def test_what_was_undone_is_told_beside_what_serves():
    lines = status_words.summary(dataclasses.replace(GOOD, entries=[RELEASE_1, UNDONE]), [])
    assert lines[0] == "All agree: release 1 serves"
    assert lines[1].startswith("Release:  1 done")
    assert lines[2] == (
        "The last deploy (release 2, by root@laptop, started 2026-02-01T10:00:00Z) "
        "failed at 'Verify' (No Edition 2) and was undone"
    )


def test_who_is_at_work_comes_first():
    kept = dataclasses.replace(WEB_1, state="exited", status="Exited (0) 1 second ago")
    started = dataclasses.replace(STARTED, before=Before(OLD, {"i1": "web"}))
    seen = dataclasses.replace(
        GOOD, entries=[RELEASE_1, started], containers=[kept, WEB_2], deployer={**HOLDER, "standing": STANDING}
    )
    lines = status_words.summary(seen, ["The Engine is slow."])
    who = "a rollback by root@laptop (from 203.0.113.5) since 2026-02-01T10:00:00Z"
    assert lines[:3] == [
        f"At work: {who}, now at the step 'switch' of release 2, 12 s",
        "- The Engine is slow.",
        "Release:  1 done, aaaaaaaaaaaa, deploy (rolling), by root@laptop, started 2026-01-31T10:00:00Z, took 14 s",
    ]
    assert lines[-2].endswith("  release 1, aaaaaaaaaaaa, kept until the new one is verified")
    assert lines[-1].endswith("  release 2, bbbbbbbbbbbb")


def test_an_interrupted_deploy_is_called_so():
    lines = status_words.summary(dataclasses.replace(GOOD, entries=[RELEASE_1, STARTED]), ["One."])
    assert (
        lines[2]
        == "Release:  2 interrupted, bbbbbbbbbbbb, deploy (rolling), by root@laptop, started 2026-02-01T10:00:00Z"
    )


WHO = "a rollback by root@laptop (from 203.0.113.5) since 2026-02-01T10:00:00Z"
IDLE = {**STANDING, "step": "", "seconds": 7.6, "silent_seconds": 7.2}


@pytest.mark.parametrize(
    ("standing", "entry", "doing"),
    [
        pytest.param(STANDING, STARTED, "now at the step 'switch' of release 2, 12 s", id="a step"),
        pytest.param(
            {**STANDING, "step": "build", "usual": 69.6, "event": "[web 4/9] RUN pip install"},
            STARTED,
            "now at the step 'build' of release 2, 12 s of ~70 s ([web 4/9] RUN pip install)",
            id="a step that earlier releases had, too",
        ),
        pytest.param(
            {**STANDING, "step": "begin"}, None, "now at the step 'begin', 12 s", id="before there is an entry"
        ),
        pytest.param(
            IDLE,
            STARTED,
            "waits for its controller since 8 s; without it, the release is undone or finished in 53 s",
            id="between two steps",
        ),
        pytest.param(
            {**IDLE, "seconds": 61.0, "silent_seconds": 61.0},
            STARTED,
            "waits for its controller since 61 s; without it, the release is undone or finished in 0 s",
            id="right before its time is over",
        ),
        pytest.param(
            {**IDLE, "seconds": 100.0, "silent_seconds": 3.0, "next_step_timeout_seconds": 660.0},
            STARTED,
            "waits for its controller since 100 s; without it, the release is undone or finished in 657 s",
            id="in a hook that may take long",
        ),
        pytest.param(
            {**STANDING, "step": "undo"},
            STARTED,
            "now undoing release 2, 12 s",
            id="its controller's undo",
        ),
        pytest.param(
            {
                **STANDING,
                "step": "recover",
                "cancel_reason": "its controller was not heard from",
                "event": "starts web-1",
            },
            STARTED,
            "now undoing release 2, 12 s (starts web-1), without its controller (its controller was not heard from)",
            id="without its controller",
        ),
        pytest.param(
            {**STANDING, "step": "build", "cancel_reason": "the next deploy came"},
            STARTED,
            "now at the step 'build' of release 2, 12 s, without its controller (the next deploy came)",
            id="cancelled in the middle of a step",
        ),
        pytest.param(
            {},
            STARTED,
            "whose deployer was killed: the next deploy ends what it left running",
            id="killed, and a step of it runs",
        ),
    ],
)
def test_what_is_done_just_now(standing, entry, doing):
    entries = [RELEASE_1, entry] if entry else [RELEASE_1]
    seen = dataclasses.replace(GOOD, entries=entries, deployer={**HOLDER, "standing": standing})
    assert status_words.summary(seen, [])[0] == f"At work: {WHO}, {doing}"


def test_where_no_address_is_known_none_is_told():
    seen = dataclasses.replace(GOOD, deployer={**HOLDER, "address": "", "purpose": "deploy", "standing": STANDING})
    assert status_words.at_work(seen) == (
        "At work: a deploy by root@laptop since 2026-02-01T10:00:00Z, now at the step 'switch', 12 s"
    )


def test_a_lock_that_nobody_of_this_version_holds():
    seen = dataclasses.replace(GOOD, deployer={**HOLDER, "id": "", "standing": {}})
    assert status_words.summary(seen, [])[0] == (
        "At work: a deploy of an earlier version of juno.deploy, or something else that holds the lock"
    )


def test_the_maintenance_page_is_told_where_there_is_a_proxy():
    shown = dataclasses.replace(GOOD, proxy=status.ProxyFiles(expected=True, maintenance=True))
    line = "Visitors: get the maintenance page (503), until juno.deploy.maintenance -e maintenance=off"
    assert line in status_words.summary(shown, [])
    assert line not in status_words.summary(dataclasses.replace(shown, containers=[WEB_1]), [])


def test_findings_come_first_and_what_is_unknown_is_said():
    seen = dataclasses.replace(GOOD, entries=[], containers=None, checkout=None)
    assert status_words.summary(seen, ["One.", "Two."]) == [
        "Not as it should be:",
        "- One.",
        "- Two.",
        "Release:  No release of this app is recorded on this host yet",
        "Checkout: can't be read",
        "Serving:  unknown, the Engine could not be asked",
    ]


def test_the_cache_version_is_told():
    lines = status_words.summary(
        dataclasses.replace(GOOD, entries=[dataclasses.replace(RELEASE_1, cache_version=1795592844)]), []
    )
    assert lines[1].endswith(", took 14 s, cache version 1795592844")
