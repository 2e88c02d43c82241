# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as a person reads it."""

from __future__ import annotations

import dataclasses

from ansible_collections.juno.deploy.plugins.module_utils import _docker, _lease, _status, _status_words

OLD, NEW = "a" * 40, "b" * 40
OLD_IMAGE, NEW_IMAGE = "sha256:" + "1" * 64, "sha256:" + "2" * 64
RELEASE_1 = {
    "number": 1,
    "commit": OLD,
    "outcome": "done",
    "purpose": "deploy",
    "strategy": "rolling",
    "who": "root@laptop",
    "started": "2026-01-31T10:00:00Z",
    "ended": "2026-01-31T10:00:14Z",
    "containers": {"i1": "web"},
    "images": {"web": OLD_IMAGE},
}
RELEASE_2 = {**RELEASE_1, "number": 2, "commit": NEW, "started": "2026-02-01T10:00:00Z", "images": {"web": NEW_IMAGE}}
RELEASE_2 = {**RELEASE_2, "containers": {"i2": "web"}, "ended": "2026-02-01T10:01:40Z"}
STARTED = {**RELEASE_2, "outcome": "started", "step": "switched", "ended": ""}
UNDONE = {**RELEASE_2, "outcome": "failed", "undone": True, "figures": {"task": "Prove", "reason": "No Edition 2."}}
HOLDER = {"who": "root@laptop", "address": "203.0.113.5", "purpose": "rollback", "since": "2026-02-01T10:00:00Z"}
WEB_1 = _docker.Container("i1", "app-web-1", "web", 1, "running", OLD_IMAGE, (), (), status="Up 3 hours")
WEB_2 = _docker.Container("i2", "app-web-2", "web", 2, "running", NEW_IMAGE, (), (), status="Up 3 seconds")
EDGE = _docker.Container("e1", "app-juno-edge-1", "juno-edge", 1, "running", "sha256:3", (), (), status="Up 3 hours")
GOOD = _status.Seen(
    path="/root/app",
    services=("web",),
    entries=[RELEASE_1],
    containers=[WEB_1, EDGE],
    tags={
        OLD_IMAGE: ("app-web:juno-aaaaaaaaaaaa",),
        NEW_IMAGE: ("app-web:juno-bbbbbbbbbbbb", "app-web:latest"),
        "sha256:3": ("haproxy:3.0",),
    },
    checkout=_status.Checkout(OLD, "A new front page"),
    edge=_status.EdgeFiles(expected=True),
)


def test_all_agree():
    assert _status_words.summary(GOOD, []) == [
        "All agree: release 1 serves",
        "Release:  1 done, aaaaaaaaaaaa, deploy (rolling), by root@laptop, started 2026-01-31T10:00:00Z, took 14 s",
        "Checkout: aaaaaaaaaaaa A new front page",
        "Serving:  app-web-1        Up 3 hours  app-web:juno-aaaaaaaaaaaa  release 1, aaaaaaaaaaaa",
        "          app-juno-edge-1  Up 3 hours  haproxy:3.0                the edge",
    ]


def test_what_was_undone_is_told_beside_what_serves():
    lines = _status_words.summary(dataclasses.replace(GOOD, entries=[RELEASE_1, UNDONE]), [])
    assert lines[0] == "All agree: release 1 serves"
    assert lines[1].startswith("Release:  1 done")
    assert lines[2] == (
        "The last deploy (release 2, by root@laptop, started 2026-02-01T10:00:00Z) "
        "failed at 'Prove' (No Edition 2) and was undone"
    )


def test_who_is_at_work_comes_first():
    kept = dataclasses.replace(WEB_1, state="exited", status="Exited (0) 1 second ago")
    started = {**STARTED, "before": {"containers": {"i1": "web"}}}
    seen = dataclasses.replace(
        GOOD, entries=[RELEASE_1, started], containers=[kept, WEB_2], lease={**HOLDER, "alive": True}
    )
    lines = _status_words.summary(seen, ["The Engine is slow."])
    who = "a rollback by root@laptop (from 203.0.113.5) since 2026-02-01T10:00:00Z"
    assert lines[:3] == [
        f"At work: {who}, now at the step 'switched' of release 2",
        "- The Engine is slow.",
        "Release:  1 done, aaaaaaaaaaaa, deploy (rolling), by root@laptop, started 2026-01-31T10:00:00Z, took 14 s",
    ]
    assert lines[-2].endswith("  release 1, aaaaaaaaaaaa, kept until the new one is proved")
    assert lines[-1].endswith("  release 2, bbbbbbbbbbbb")


def test_what_is_half_done_is_called_so():
    lines = _status_words.summary(dataclasses.replace(GOOD, entries=[RELEASE_1, STARTED]), ["One."])
    assert (
        lines[2]
        == "Release:  2 half done, bbbbbbbbbbbb, deploy (rolling), by root@laptop, started 2026-02-01T10:00:00Z"
    )


def test_who_has_begun_and_not_said_more():
    seen = dataclasses.replace(GOOD, lease={**HOLDER, "address": "", "alive": True})
    assert _status_words.summary(seen, [])[0] == "At work: a rollback by root@laptop since 2026-02-01T10:00:00Z"


def test_the_way_back_is_told():
    dead = {**HOLDER, "alive": False}
    back = dataclasses.replace(
        GOOD, entries=[RELEASE_1, STARTED], lease=dead, step=_lease.WAY_BACK, step_since=1769940000.0
    )
    assert _status_words.summary(back, [])[0] == (
        "At work: the way back from release 2, since 2026-02-01T10:00:00Z, after the run of root@laptop since "
        "2026-02-01T10:00:00Z ended without a word"
    )
    assert _status_words.at_work(dataclasses.replace(back, lease={**HOLDER, "alive": True})).endswith(
        " since 2026-02-01T10:00:00Z, now on the way back from release 2, since 2026-02-01T10:00:00Z"
    )
    other = dataclasses.replace(back, lease={}, step="the build of a release")
    assert _status_words.at_work(other) == "At work: the build of a release, since 2026-02-01T10:00:00Z"


def test_a_dead_lease_is_told():
    seen = dataclasses.replace(GOOD, lease={**HOLDER, "alive": False})
    lines = _status_words.summary(seen, [])
    assert lines[0] == "All agree: release 1 serves"
    assert "Lease:    of root@laptop since 2026-02-01T10:00:00Z, who is gone: the next deploy takes it over" in lines


def test_the_maintenance_page_is_told_where_there_is_an_edge():
    shown = dataclasses.replace(GOOD, edge=_status.EdgeFiles(expected=True, maintenance=True))
    told = "Visitors: get the maintenance page (503), until playbooks/maintenance.yml -e maintenance=off"
    assert told in _status_words.summary(shown, [])
    assert told not in _status_words.summary(dataclasses.replace(shown, containers=[WEB_1]), [])


def test_findings_come_first_and_what_is_unknown_is_said():
    seen = dataclasses.replace(GOOD, entries=[], containers=None, checkout=None)
    assert _status_words.summary(seen, ["One.", "Two."]) == [
        "Not as it should be:",
        "- One.",
        "- Two.",
        "Release:  No release of this app is recorded on this host yet",
        "Checkout: can't be read",
        "Serving:  unknown, the Engine could not be asked",
    ]


def test_the_epoch_is_told():
    lines = _status_words.summary(dataclasses.replace(GOOD, entries=[{**RELEASE_1, "epoch": 1795592844}]), [])
    assert lines[1].endswith(", took 14 s, epoch 1795592844")
