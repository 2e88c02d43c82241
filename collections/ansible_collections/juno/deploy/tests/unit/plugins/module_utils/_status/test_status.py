# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status: a table of situations."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._state import lock
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._status import status, status_services

OLD, NEW, HAND = "a" * 40, "b" * 40, "c" * 40
OLD_IMAGE, NEW_IMAGE, FOREIGN_IMAGE = "sha256:" + "1" * 64, "sha256:" + "2" * 64, "sha256:" + "3" * 64
RELEASE_1 = Entry(
    number=1,
    commit=OLD,
    outcome="done",
    who="root@laptop",
    started="2026-01-31T10:00:00Z",
    ended="2026-01-31T10:00:14Z",
    strategy="rolling",
    containers={"i0": "web"},
    images={"web": OLD_IMAGE},
    figures={"outage_seconds": 1.4},
)
RELEASE_2 = replace(
    RELEASE_1,
    number=2,
    commit=NEW,
    started="2026-02-01T10:00:00Z",
    images={"web": NEW_IMAGE},
    containers={"i1": "web"},
    ended="2026-02-01T10:01:40Z",
)
LAST = "The last deploy (release 2, by root@laptop, started 2026-02-01T10:00:00Z)"
CUT_OFF = Entry(
    number=2,
    commit=NEW,
    outcome="started",
    who="root@laptop",
    started="2026-02-01T10:00:00Z",
    step="open",
    strategy="rolling",
)
FAILED = replace(
    RELEASE_2,
    containers={},
    outcome="failed",
    figures={"task": "Switch: move the traffic to the release", "reason": "It ended\nwhile it started."},
)
UNDONE = replace(FAILED, undone=True, containers={"i1": "web"})
HOLDER = {"id": "x", "who": "root@laptop", "address": "203.0.113.5", "purpose": "deploy", "since": RELEASE_2.started}
WEB = engine.Container(
    "i1", "app-web-1", "web", 1, "running", NEW_IMAGE, (), (),
    status="Up 3 hours", created=int(lock.seconds_of("2026-02-01T10:00:01Z") or 0),
)  # fmt: skip
PROXY = dataclasses.replace(WEB, id="e1", name="app-juno-edge-1", service="juno-edge", image_id=FOREIGN_IMAGE)
MEMCACHED = engine.Container("i2", "app-memcached-1", "memcached", 1, "exited", FOREIGN_IMAGE, (), ())
GOOD = status.Seen(
    path="/root/app",
    services=("web",),
    entries=[RELEASE_1, RELEASE_2],
    containers=[WEB, MEMCACHED],
    tags={
        OLD_IMAGE: ("app-web:juno-aaaaaaaaaaaa",),
        NEW_IMAGE: ("app-web:juno-bbbbbbbbbbbb", "app-web:latest"),
        FOREIGN_IMAGE: ("memcached:1.6",),
    },
    checkout=status.Checkout(NEW, "A new front page"),
)


def web(**changes):
    return [dataclasses.replace(WEB, **changes), MEMCACHED]


def test_all_agree():
    assert status.judge(GOOD) == []


@pytest.mark.parametrize(("state", "told"), [("running", True), ("exited", False)])
def test_what_runs_of_a_service_that_is_gone_is_told(state, told):
    old = dataclasses.replace(WEB, id="o1", name="app-old-1", service="old", state=state)
    findings = status.judge(replace(GOOD, containers=[WEB, old], left_over=[old]))
    said = (
        "'old' is no service of the compose files any more, and has a container left (app-old-1, which runs): docker "
        "rm --force app-old-1 removes it."
    )
    assert findings == ([said] if told else [])


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"entries": []}, "No release of this app is recorded on this host yet: deploy it."),
        (
            {"entries": [RELEASE_1, CUT_OFF]},
            f"{LAST} ended at the step 'open' without a word, interrupted: deploy again, which picks it up.",
        ),
        (
            {"entries": [RELEASE_1, replace(CUT_OFF, step="verified")]},
            f"{LAST} serves and is verified, but ended before it had tidied up: the next deploy does that.",
        ),
        (
            {"entries": [UNDONE], "checkout": None},
            (
                f"{LAST} failed at 'Switch: move the traffic to the release' (It ended while it started), was undone, "
                "and no release went well before it: correct the cause and deploy again."
            ),
        ),
        (
            {"entries": [RELEASE_1, FAILED]},
            (
                f"{LAST} failed at 'Switch: move the traffic to the release' "
                "(It ended while it started): correct the cause and deploy again."
            ),
        ),
        (
            {"entries": [RELEASE_1, replace(CUT_OFF, outcome="failed")]},
            f"{LAST} failed (no reason was recorded): correct the cause and deploy again.",
        ),
        (
            {
                "entries": [RELEASE_1, replace(UNDONE, invalidation_pending=True)],
                "checkout": status.Checkout(OLD, ""),
                "containers": [dataclasses.replace(WEB, id="i0", image_id=OLD_IMAGE)],
            },
            "The caches may hold pages of a release that was undone: deploy again, which clears them.",
        ),
        (
            {"containers": []},
            "No container of 'web' runs (none is there): deploy again.",
        ),
        (
            {"containers": web(state="restarting", status="Restarting (3) 2 seconds ago")},
            (
                "No container of 'web' runs (app-web-1: Restarting (3) 2 seconds ago): "
                "see the playbook juno.deploy.logs for why, then deploy again."
            ),
        ),
        (
            {"containers": [WEB, dataclasses.replace(WEB, name="app-web-2", state="exited", status="Exited (1)")]},
            (
                "The container app-web-2 of 'web' does not run (Exited (1)), others do: "
                "see the playbook juno.deploy.logs for why, then deploy again with 'force: true'."
            ),
        ),
        (
            {"details": {"i1": status_services.Detail(restarts=2, started=940.0)}, "now": 1000.0},
            (
                "The container app-web-1 of 'web' ended and was started again 2 times, the last time 60 s ago: "
                "see the playbook juno.deploy.logs for why."
            ),
        ),
        (
            {"wanted": {"memcached": status_services.Wanted(restart="always"), "web": status_services.Wanted()}},
            (
                "The container app-memcached-1 of 'memcached' does not run (exited): docker compose logs memcached in "
                "/root/app tells why; then docker compose up -d memcached there."
            ),
        ),
        (
            {"containers": web(status="Up 3 hours (unhealthy)")},
            (
                "The container app-web-1 of 'web' runs, but its health check fails: see the playbook juno.deploy.logs "
                "for why."
            ),
        ),
        (
            {"containers": [WEB, dataclasses.replace(WEB, id="i3", name="app-web-2")]},
            (
                "2 containers of 'web' run (app-web-1, app-web-2), but release 2 started 1: if that many are wanted, "
                "say so in the compose file (deploy.replicas), else deploy again with 'force: true'."
            ),
        ),
        (
            {"proxy": status.ProxyFiles(expected=True)},
            (
                "No container of the proxy runs (none is there), so nobody is answered: docker compose up -d juno-edge "
                "in /root/app, then see docker compose logs juno-edge for why."
            ),
        ),
        (
            {
                "proxy": status.ProxyFiles(expected=True),
                "containers": [WEB, dataclasses.replace(PROXY, state="exited")],
            },
            (
                "No container of the proxy runs (app-juno-edge-1: Up 3 hours), so nobody is answered: docker compose "
                "up -d juno-edge in /root/app, then see docker compose logs juno-edge for why."
            ),
        ),
        (
            {"containers": [WEB, PROXY]},
            (
                "The proxy runs, but the compose.override.yml that puts it before the app is gone: deploy again with "
                "'force: true', or take the proxy away as "
                "https://github.com/juno-deploy/juno.deploy/tree/main/docs/strategies.md says."
            ),
        ),
        (
            {"containers": web(id="i3", image_id=OLD_IMAGE)},
            (
                "The container app-web-1 runs app-web:juno-aaaaaaaaaaaa (release 1, aaaaaaaaaaaa), but release 2 "
                "recorded another image: deploy again."
            ),
        ),
        (
            {"containers": web(id="i3", image_id=FOREIGN_IMAGE)},
            (
                "The container app-web-1 runs memcached:1.6 (no recorded release, commit unknown), but release 2 "
                "recorded another image: deploy again."
            ),
        ),
        (
            {
                "services": ("web", "worker"),
                "containers": [WEB, dataclasses.replace(WEB, id="w1", name="w", service="worker")],
            },
            (
                "The container w runs app-web:juno-bbbbbbbbbbbb (no recorded release, bbbbbbbbbbbb), but release 2 "
                "recorded none for 'worker': deploy again."
            ),
        ),
        (
            {"checkout": status.Checkout(HAND, "By hand")},
            (
                "The checkout /root/app is at cccccccccccc, but release 2 deployed bbbbbbbbbbbb: "
                "somebody moved it by hand; deploy again."
            ),
        ),
        (
            {"checkout": status.Checkout(NEW, "", ("jobs/views.py",))},
            (
                "The checkout /root/app has locally modified files (jobs/views.py), and a deploy will stop at them: "
                "commit and push them, or set them back with git restore."
            ),
        ),
        ({"checkout": None, "problems": ("There is no directory.",)}, "There is no directory."),
        ({"containers": None, "problems": ("The Engine does not answer.",)}, "The Engine does not answer."),
    ],
)
def test_every_disagreement_is_one_sentence(changes, finding):
    assert status.judge(dataclasses.replace(GOOD, **changes)) == [finding]


def test_a_first_release_that_was_undone_left_the_checkout_as_it_was():
    seen = dataclasses.replace(GOOD, entries=[UNDONE], checkout=status.Checkout(HAND, ""))
    assert len(status.judge(seen)) == 1


# In a step, between two of them, and killed while a step of it is still at work.
@pytest.mark.parametrize("standing", [{"step": "switch"}, {"step": "recover"}, {"step": ""}, {}])
def test_nothing_is_judged_that_is_changed_right_now(standing):
    seen = dataclasses.replace(GOOD, entries=[RELEASE_1, CUT_OFF], deployer={**HOLDER, "standing": standing})
    assert (status.judge(seen), seen.at_work, seen.interrupted) == ([], True, None)


def test_what_could_not_be_looked_at_is_told_even_then():
    seen = dataclasses.replace(GOOD, deployer=HOLDER, problems=("The Engine does not answer.",), containers=None)
    assert status.judge(seen) == ["The Engine does not answer."]


BACK = status.Checkout(OLD, "")
BY_HAND = dataclasses.replace(WEB, id="i3")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"proxy": status.ProxyFiles(expected=True), "containers": [WEB, PROXY]}, id="behind the proxy"),
        pytest.param({"containers": [BY_HAND]}, id="docker compose up by hand recreated the container"),
        pytest.param(
            {
                "entries": [RELEASE_1, UNDONE],
                "checkout": BACK,
                "containers": [dataclasses.replace(WEB, id="i0", image_id=OLD_IMAGE)],
            },
            id="failed and undone",
        ),
        pytest.param(
            {
                "entries": [replace(RELEASE_1, images={"web": NEW_IMAGE}), UNDONE],
                "checkout": BACK,
                "containers": [BY_HAND],
            },
            id="failed and undone, then recreated by hand from the same image",
        ),
        pytest.param(
            {
                "entries": [RELEASE_1, CUT_OFF],
                "deployer": HOLDER,
                "containers": [dataclasses.replace(WEB, state="paused"), dataclasses.replace(BY_HAND, state="exited")],
                "checkout": status.Checkout(HAND, "", ("a",)),
            },
            id="somebody is at work",
        ),
    ],
)  # fmt: skip
def test_what_is_as_it_should_be(changes):
    assert status.judge(dataclasses.replace(GOOD, **changes)) == []


def test_an_interrupted_deploy_is_one_finding():
    containers = [
        WEB,
        dataclasses.replace(WEB, id="i3", state="paused"),
        dataclasses.replace(WEB, id="i4", state="exited"),
    ]
    seen = dataclasses.replace(GOOD, entries=[RELEASE_1, CUT_OFF], containers=containers)
    assert len(status.judge(seen)) == 1
    assert len(status.judge(dataclasses.replace(seen, containers=containers[1:]))) == 2  # nobody answers


@pytest.mark.parametrize("commit", [OLD, NEW])
def test_a_deploy_that_was_cut_off_may_have_moved_the_checkout_or_not(commit):
    seen = dataclasses.replace(GOOD, entries=[RELEASE_1, CUT_OFF], checkout=status.Checkout(commit, ""))
    assert len(status.judge(seen)) == 1


WHEN_OLD = int(lock.seconds_of("2026-01-31T10:00:00Z") or 0)
OLD_WEB = dataclasses.replace(WEB, id="i0", image_id=OLD_IMAGE, created=WHEN_OLD)
RECREATED = dataclasses.replace(OLD_WEB, id="i3")
NEW_CODE = replace(RELEASE_2, images={"web": OLD_IMAGE})


@pytest.mark.parametrize(
    ("one", "entries", "number", "commit"),
    [
        pytest.param(WEB, [RELEASE_1, RELEASE_2], 2, NEW, id="recorded"),
        pytest.param(WEB, [RELEASE_1, FAILED], 2, NEW, id="failed after the switch"),
        pytest.param(WEB, [RELEASE_1, CUT_OFF], 2, NEW, id="cut off after the switch: by the image's name"),
        pytest.param(
            WEB,
            [replace(RELEASE_1, images={"web": NEW_IMAGE}), CUT_OFF],
            2,
            NEW,
            id="cut off with an image built before",
        ),
        pytest.param(WEB, [RELEASE_1], 0, NEW[:12], id="by the image's name"),
        pytest.param(OLD_WEB, [RELEASE_1, CUT_OFF], 1, OLD, id="cut off before the switch"),
        pytest.param(
            OLD_WEB, [RELEASE_1, replace(FAILED, images={"web": OLD_IMAGE})], 1, OLD, id="failed before the switch"
        ),
        pytest.param(RECREATED, [RELEASE_1, NEW_CODE], 2, NEW, id="new code in the old image"),
        pytest.param(OLD_WEB, [RELEASE_1, NEW_CODE], 1, OLD, id="an old container, of an image that is still used"),
        pytest.param(OLD_WEB, [RELEASE_1, replace(RELEASE_2, containers={"i0": "web"})], 2, NEW, id="reloaded"),
        pytest.param(OLD_WEB, [RELEASE_1, replace(UNDONE, containers={"i0": "web"})], 1, OLD, id="reloaded and undone"),
        pytest.param(
            BY_HAND, [replace(RELEASE_1, images={"web": NEW_IMAGE}), UNDONE], 1, OLD, id="by hand after an undo"
        ),
        pytest.param(BY_HAND, [RELEASE_1, UNDONE], 0, NEW[:12], id="by hand, of the image that was undone"),
        pytest.param(dataclasses.replace(WEB, id="i3", image_id="sha256:77"), [RELEASE_1], 0, "", id="unknown"),
    ],
)
def test_the_commit_of_a_container(one, entries, number, commit):
    found = status.served(one, dataclasses.replace(GOOD, entries=entries))
    assert (found.number, found.commit) == (number, commit)
