# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status: a table of situations."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _docker, _status

OLD, NEW, HAND = "a" * 40, "b" * 40, "c" * 40
OLD_IMAGE, NEW_IMAGE, FOREIGN_IMAGE = "sha256:" + "1" * 64, "sha256:" + "2" * 64, "sha256:" + "3" * 64
RELEASE_1 = {
    "number": 1,
    "commit": OLD,
    "outcome": "done",
    "who": "root@laptop",
    "started": "2026-01-31T10:00:00Z",
    "ended": "2026-01-31T10:00:14Z",
    "images": {"web": OLD_IMAGE},
    "figures": {"outage_seconds": 1.4},
}
RELEASE_2 = {**RELEASE_1, "number": 2, "commit": NEW, "started": "2026-02-01T10:00:00Z", "images": {"web": NEW_IMAGE}}
RELEASE_2 = {**RELEASE_2, "ended": "2026-02-01T10:01:40Z"}
LAST = "The last deploy (release 2, by root@laptop, started 2026-02-01T10:00:00Z)"
CUT_OFF = {"number": 2, "commit": NEW, "outcome": "started", "who": "root@laptop", "started": "2026-02-01T10:00:00Z"}
FAILED = {
    **RELEASE_2,
    "outcome": "failed",
    "figures": {"task": "Switch to the release", "reason": "It ended\nwhile it started."},
}
WEB = _docker.Container(
    "i1", "app-web-1", "web", 1, "running", NEW_IMAGE, (), (),
    status="Up 3 hours", created=int(_status.seconds_of("2026-02-01T10:00:01Z") or 0),
)  # fmt: skip
MEMCACHED = _docker.Container("i2", "app-memcached-1", "memcached", 1, "exited", FOREIGN_IMAGE, (), ())
GOOD = _status.Seen(
    path="/root/app",
    services=("web",),
    entries=[RELEASE_1, RELEASE_2],
    containers=[WEB, MEMCACHED],
    tags={
        OLD_IMAGE: ("app-web:juno-aaaaaaaaaaaa",),
        NEW_IMAGE: ("app-web:juno-bbbbbbbbbbbb", "app-web:latest"),
        FOREIGN_IMAGE: ("memcached:1.6",),
    },
    checkout=_status.Checkout(NEW, "A new front page"),
)


def web(**changes):
    return [dataclasses.replace(WEB, **changes), MEMCACHED]


def test_all_agree():
    assert _status.judge(GOOD) == []
    assert _status.summary(GOOD, []) == [
        "All agree: release 2 serves",
        "Release:  2 done, bbbbbbbbbbbb, by root@laptop, started 2026-02-01T10:00:00Z, took 100 s",
        "Checkout: bbbbbbbbbbbb A new front page",
        "Serving:  app-web-1        Up 3 hours  app-web:juno-bbbbbbbbbbbb  release 2, bbbbbbbbbbbb",
        "          app-memcached-1  exited      memcached:1.6",
    ]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"entries": []}, "No release of this app is recorded on this host yet: deploy it."),
        (
            {"entries": [RELEASE_1, CUT_OFF]},
            f"{LAST} never said how it ended: wait if it is still at work, else deploy again.",
        ),
        (
            {"entries": [RELEASE_1, FAILED]},
            (
                f"{LAST} failed at 'Switch to the release' "
                "(It ended while it started): correct the cause and deploy again."
            ),
        ),
        (
            {"entries": [RELEASE_1, {**CUT_OFF, "outcome": "failed"}]},
            f"{LAST} failed (no reason was recorded): correct the cause and deploy again.",
        ),
        (
            {"containers": []},
            "No container of 'web' runs (none is there): see playbooks/logs.yml for why, then deploy again.",
        ),
        (
            {"containers": web(state="restarting", status="Restarting (3) 2 seconds ago")},
            (
                "No container of 'web' runs (app-web-1: Restarting (3) 2 seconds ago): "
                "see playbooks/logs.yml for why, then deploy again."
            ),
        ),
        (
            {"containers": [WEB, dataclasses.replace(WEB, name="app-web-2", state="exited", status="Exited (1)")]},
            (
                "The container app-web-2 of 'web' does not run (Exited (1)), others do: "
                "see playbooks/logs.yml for why, then deploy again."
            ),
        ),
        (
            {"containers": web(status="Up 3 hours (unhealthy)")},
            "The container app-web-1 of 'web' runs, but its health check fails: see playbooks/logs.yml for why.",
        ),
        (
            {"containers": web(image_id=OLD_IMAGE)},
            (
                "The container app-web-1 runs app-web:juno-aaaaaaaaaaaa (release 1, aaaaaaaaaaaa), but release 2 "
                "recorded another image: deploy again."
            ),
        ),
        (
            {"containers": web(image_id=FOREIGN_IMAGE)},
            (
                "The container app-web-1 runs memcached:1.6 (no recorded release, commit unknown), but release 2 "
                "recorded another image: deploy again."
            ),
        ),
        (
            {"services": ("web", "worker"), "containers": [WEB, dataclasses.replace(WEB, name="w", service="worker")]},
            (
                "The container w runs app-web:juno-bbbbbbbbbbbb (no recorded release, bbbbbbbbbbbb), but release 2 "
                "recorded none for 'worker': deploy again."
            ),
        ),
        (
            {"checkout": _status.Checkout(HAND, "By hand")},
            (
                "The checkout /root/app is at cccccccccccc, but release 2 deployed bbbbbbbbbbbb: "
                "somebody moved it by hand; deploy again."
            ),
        ),
        (
            {"checkout": _status.Checkout(NEW, "", ("jobs/views.py",))},
            (
                "The checkout /root/app has files changed by hand (jobs/views.py), and a deploy will stop at them: "
                "commit and push them, or set them back with git restore."
            ),
        ),
        ({"checkout": None, "problems": ("There is no directory.",)}, "There is no directory."),
        ({"containers": None, "problems": ("The Engine does not answer.",)}, "The Engine does not answer."),
    ],
)
def test_every_disagreement_is_one_sentence(changes, finding):
    seen = dataclasses.replace(GOOD, **changes)
    assert _status.judge(seen) == [finding]
    assert _status.summary(seen, [finding])[:2] == ["Not as it should be:", f"- {finding}"]


@pytest.mark.parametrize("commit", [OLD, NEW])
def test_a_deploy_that_was_cut_off_may_have_moved_the_checkout_or_not(commit):
    seen = dataclasses.replace(GOOD, entries=[RELEASE_1, CUT_OFF], checkout=_status.Checkout(commit, ""))
    assert len(_status.judge(seen)) == 1


OLD_WEB = dataclasses.replace(WEB, image_id=OLD_IMAGE, created=int(_status.seconds_of("2026-01-31T10:00:00Z") or 0))


@pytest.mark.parametrize(
    ("one", "entries", "number", "commit"),
    [
        pytest.param(WEB, [RELEASE_1, RELEASE_2], 2, NEW, id="recorded"),
        pytest.param(WEB, [RELEASE_1, FAILED], 2, NEW, id="failed after the switch"),
        pytest.param(WEB, [RELEASE_1, CUT_OFF], 2, NEW, id="cut off after the switch: by the image's name"),
        pytest.param(
            WEB, [{**RELEASE_1, "images": {"web": NEW_IMAGE}}, CUT_OFF], 2, NEW, id="cut off with an image built before"
        ),
        pytest.param(WEB, [RELEASE_1], 0, NEW[:12], id="by the image's name"),
        pytest.param(OLD_WEB, [RELEASE_1, CUT_OFF], 1, OLD, id="cut off before the switch"),
        pytest.param(
            OLD_WEB, [RELEASE_1, {**FAILED, "images": {"web": OLD_IMAGE}}], 1, OLD, id="failed before the switch"
        ),
        pytest.param(
            OLD_WEB, [RELEASE_1, {**RELEASE_2, "images": {"web": OLD_IMAGE}}], 2, NEW, id="new code in the old image"
        ),
        pytest.param(dataclasses.replace(WEB, image_id="sha256:77"), [RELEASE_1], 0, "", id="unknown"),
    ],
)
def test_the_commit_of_a_container(one, entries, number, commit):
    found = _status.served(one, dataclasses.replace(GOOD, entries=entries))
    assert (found.number, found.commit) == (number, commit)


@pytest.mark.parametrize(
    ("started", "ended", "text"),
    [("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z", "0"), ("2026-01-31T23:59:59Z", "2026-02-01T00:01:39Z", "100"),
     ("2026-01-31T10:00:00Z", "", ""), ("", "2026-01-31T10:00:00Z", ""), ("yesterday", None, "")],
)  # fmt: skip
def test_how_long_it_took(started, ended, text):
    assert _status.took({"started": started, "ended": ended}) == text


@pytest.mark.parametrize(
    ("text", "short"), [("", ""), ("a\n  b", "a b"), ("0123456789", "0123456789"), ("0123456789a", "0123456...")]
)
def test_a_reason_is_one_bounded_line(text, short):
    assert _status.shortened(text, 10) == short
