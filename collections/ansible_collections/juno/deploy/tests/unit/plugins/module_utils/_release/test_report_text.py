# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a release, as lines for a person."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._release.report_text import (
    Results,
    Site,
    cache_words,
    clear_lines,
    lines,
    why_lines,
)

BEGUN = {"git": {"target_commit": "1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112", "target_subject": "A new front page"}}
ASKED = "1 page(s) asked for twice and 14 file(s) that they name, all as they must be"
VERIFIED = {"pages": [{"path": "/"}], "words": [ASKED]}
MET = [
    "Visitors: 214 requests, none failed, longest gap 0.12 s, slowest 0.31 s, 0 old pages",
    "Times:    p50/p99 3/12 ms before, 4.4/31 ms during, 0.4/max 40 ms after",
]
LOST = "But visitors met errors: 5 of 110 requests failed (see below)."
WELL = "rolling, no moment without an answer"
AT_HOST = "Site:   http://127.0.0.1:8001 on droplet-1"
SITE = Site(purpose="deploy", host_name="droplet-1")
NO_CACHE_VERSION = {
    "covered": False,
    "alias": [],
    "cache_version": 0,
    "why": "a reload keeps the environment of its processes",
}
CACHE_VERSION = {"covered": True, "alias": [], "cache_version": 1769853600, "why": ""}
OWN = "Cache version 1769853600 is this release's own: it can't read what was cached before, and nothing was cleared"
COPY = "/var/lib/juno/junojobs/backup/20261122T190000Z-r9-db.sqlite3"
MIGRATED = {"backups": [{"path": COPY, "bytes": 155648, "seconds": 0.02}], "notices": []}


def cache(
    alias="default", status="cleared", how="1,204 entries of this app deleted, 41 sessions stay", message="Cleared."
):
    return {"alias": alias, "status": status, "how": how, "message": message, "milliseconds": 38}


LOCMEM = cache("local", "needs_restart", "", "LocMemCache keeps its entries in the memory of each worker.")
DUMMY = cache("none", "nothing_cached", "", "Nothing is cached: DummyCache keeps no entries.")
CLEARED = {
    "caches": [cache(), cache("pages", how="FLUSHDB by the app's backend"), DUMMY],
    "msg": "Cleared: default, pages.",
}
OF_ALIASES = (
    "Cleared: default, pages. default: 1,204 entries of this app deleted, 41 sessions stay (38 ms). "
    "pages: FLUSHDB by the app's backend (38 ms)."
)
IN_WORKERS = (
    "Ended with the old workers, in whose memory they were: local. default: Cleared. none: Nothing is cached: "
    "DummyCache keeps no entries. default: 1,204 entries of this app deleted, 41 sessions stay (38 ms)."
)
TWO_SERVERS = (
    "junojobs-memcached-1: flushed, 1284 items before, none of them left (1127 ms). "
    "10.0.0.5:11211: flushed, 1284 items before (1127 ms)."
)
FLUSHED = {"status": "flushed", "items_before": 1284, "verified": True, "milliseconds": 1127}
DELETED = {"status": "deleted", "deleted": 1204, "sessions": 41, "verified": True, "milliseconds": 38}
IN_CONTAINER = {"server": "172.18.0.3:11211", "container": "junojobs-memcached-1"}
ON_HOST = {"server": "10.0.0.5:11211", "container": ""}


def results(number=8, switch=WELL, lost="", met=None, verified=None, switched=None, **more):
    met, verified = MET if met is None else met, VERIFIED if verified is None else verified
    recorded = {"release": {"number": number}, "switch": switch, "lost": lost, "words": met}
    base = {
        "base_url": "http://127.0.0.1:8001",
        "caches": NO_CACHE_VERSION,
        "warmed": 0,
        "notices": [],
        **(switched or {}),
    }
    return Results(begun=BEGUN, switched=base, verified=verified, recorded=recorded, **more)


REPORTS = {
    "the first deploy": (
        results(
            1,
            "rolling, nothing served before",
            met=["Visitors: not measured."],
            built={"actions": [{"what": "service", "id": "memcached", "status": "started"}], "static": {}},
            migrated={"backups": [], "notices": ["there is no database yet"]},
            switched={"caches": CACHE_VERSION, "warmed": 1, "services": {"started": ["proxy"], "replaced": []}},
        ),
        SITE,
        [
            "Done: release 1 serves, 1f5d0b1c2a3e A new front page",
            AT_HOST,
            "Switch: rolling, nothing served before",
            "Services: started for the first time: memcached, proxy",
            "Backup: none, since there is no database yet",
            f"Caches: {OWN} (1 page was rendered before visitors came).",
            f"Verification: {ASKED}",
            "Visitors: not measured.",
        ],
    ),
    "rolling with a cache version, and errors": (
        results(
            9,
            "rolling, but not every request was answered well, and the longest gap was 0.12 s",
            LOST,
            verified={"words": [ASKED, "Finding: browsers keep / for 600 s", "and 2 more (see findings)"]},
            built={"untracked": ["static/css/output.css"], "not_pulled": ["proxy was not pulled"]},
            migrated=MIGRATED,
            switched={"caches": CACHE_VERSION, "warmed": 5, "notices": ["junojobs-web-1 was killed after 30 s"]},
        ),
        dataclasses.replace(SITE, site_url="https://junojobs.example", host_header="junojobs.example"),
        [
            "Done: release 9 serves, 1f5d0b1c2a3e A new front page",
            LOST,
            "Site:   https://junojobs.example as junojobs.example",
            "Switch: rolling, but not every request was answered well, and the longest gap was 0.12 s",
            "Notice: proxy was not pulled",
            "Notice: junojobs-web-1 was killed after 30 s",
            f"Backup: {COPY}, 152.00 KB in 0.02 s",
            "Static: collected from the checkout, since git does not have them: static/css/output.css",
            f"Caches: {OWN} (5 pages were rendered before visitors came).",
            f"Verification: {ASKED}",
            "Finding: browsers keep / for 600 s",
            "and 2 more (see findings)",
            *MET,
        ],
    ),
    "a reload, whose caches were cleared": (
        results(switch="reload, no moment without an answer", cleared=CLEARED),
        dataclasses.replace(SITE, host_header="junojobs.example"),
        [
            "Done: release 8 serves, 1f5d0b1c2a3e A new front page",
            f"{AT_HOST} as junojobs.example",
            "Switch: reload, no moment without an answer",
            f"Caches: {OF_ALIASES}",
            f"Verification: {ASKED}",
            *MET,
        ],
    ),
    "a rollback that reversed migrations": (
        results(10, migrated=MIGRATED, switched={"caches": CACHE_VERSION, "collected": {"added": 0, "replaced": 1}}),
        dataclasses.replace(SITE, purpose="rollback"),
        [
            "Done: release 10 serves, 1f5d0b1c2a3e A new front page",
            AT_HOST,
            f"Switch: {WELL}",
            f"Backup: {COPY}, 152.00 KB in 0.02 s",
            "Static: collected again for this release, 0 files new, 1 replaced",
            f"Caches: {OWN}.",
            f"Verification: {ASKED}",
            *MET,
        ],
    ),
    "a restart, which leaves caches alone": (
        results(11),
        dataclasses.replace(SITE, purpose="restart"),
        [
            "Done: release 11 serves, 1f5d0b1c2a3e A new front page",
            AT_HOST,
            f"Switch: {WELL}",
            f"Verification: {ASKED}",
            *MET,
        ],
    ),
    "all static files from scratch": (
        results(12, collected={"added": 0, "replaced": 1, "pruned_count": 3, "pruned_bytes": 61007}),
        dataclasses.replace(SITE, purpose="restart", recollect=True, clear="none"),
        [
            "Done: release 12 serves, 1f5d0b1c2a3e A new front page",
            AT_HOST,
            f"Switch: {WELL}",
            "Static: 0 files new, 1 replaced, 3 of earlier releases removed (59.58 KB)",
            "Caches: Left alone: nothing that changed is in a cached page.",
            f"Verification: {ASKED}",
            *MET,
        ],
    ),
}


@pytest.mark.parametrize(("done", "site", "expected"), REPORTS.values(), ids=REPORTS)
def test_the_report(done, site, expected):
    assert lines(done, site) == expected


WORDS = {
    "as asked": (results(), {"cache_method": "none"}, "Left alone, as 'caches.method' asks."),
    "nothing is old": (results(), {"clear": "none"}, "Left alone: nothing that changed is in a cached page."),
    "a cache version": (results(switched={"caches": CACHE_VERSION}), {}, f"{OWN}."),
    "a cache version, which one cache has not": (
        results(switched={"caches": {**CACHE_VERSION, "alias": ["pages"]}, "warmed": 5}, cleared=CLEARED),
        {},
        OF_ALIASES,
    ),
    "by the settings": (results(cleared=CLEARED), {"clear": "naming"}, OF_ALIASES),
    "in the old workers": (
        results(cleared={"caches": [cache(), LOCMEM, DUMMY], "msg": "Cleared: default; not cleared: local."}),
        {},
        IN_WORKERS,
    ),
    "by the app's command": (
        results(cleared={**CLEARED, "stdout": "\nCleared 2 caches.\nAnd pages.\n"}),
        {"cache_command": "clear_all_caches"},
        "The app's command clear_all_caches ended well and said: Cleared 2 caches.; And pages.",
    ),
    "memcached, all of it": (
        results(flushed={"results": [{**IN_CONTAINER, **FLUSHED}, {**ON_HOST, **FLUSHED, "verified": False}]}),
        {"cache_method": "memcached"},
        TWO_SERVERS,
    ),
    "memcached, but sessions": (
        results(flushed={"results": [{**IN_CONTAINER, **DELETED}]}),
        {"cache_method": "memcached"},
        "junojobs-memcached-1: 1204 entries deleted, 41 sessions left (38 ms).",
    ),
    "nobody came to it": (results(), {}, "Not cleared."),
    "nor to memcached": (results(cleared=CLEARED), {"cache_method": "memcached"}, "Not cleared."),
}


@pytest.mark.parametrize(("done", "site", "expected"), WORDS.values(), ids=WORDS)
def test_what_was_done_to_caches(done, site, expected):
    assert cache_words(done, dataclasses.replace(SITE, **site)) == expected


WOULD = {
    "caches": [cache(status="would_clear", how="", message="")],
    "msg": "Would clear: default.",
    "stdout": "usage:",
}
BY_A_PERSON = {
    "cleared": (Results(cleared=CLEARED, verified=VERIFIED), {}, False, [OF_ALIASES, f"Verification: {ASKED}"]),
    "no page could be asked for": (Results(cleared=CLEARED, verified={"skipped": True}), {}, False, [OF_ALIASES]),
    "only by new workers": (
        results(cleared={"caches": [LOCMEM], "msg": "Not cleared: local."}),
        {},
        False,
        ["Ended with the old workers, in whose memory they were: local.", f"Verification: {ASKED}"],
    ),
    "not by the command, in check mode": (
        Results(cleared=WOULD),
        {"cache_command": "clear_all_caches"},
        True,
        ["Would clear: default."],
    ),
    "not flushed, in check mode": (
        Results(flushed={"results": [{**IN_CONTAINER, **FLUSHED, "status": "would_flush", "verified": False}]}),
        {"cache_method": "memcached"},
        True,
        ["junojobs-memcached-1: would flush, 1284 items before (1127 ms)."],
    ),
}


@pytest.mark.parametrize(("done", "site", "check_mode", "expected"), BY_A_PERSON.values(), ids=BY_A_PERSON)
def test_caches_cleared_by_a_person(done, site, check_mode, expected):
    assert clear_lines(done, Site(purpose="", host_name="droplet-1", **site), check_mode=check_mode) == expected


ABOUT = ["Django        5.2.19 on Python 3.13.5, DEBUG off", "Findings      none"]
WHY = {
    "a cache version": (
        results(switched={"caches": CACHE_VERSION}),
        "",
        [
            "Cache version: the settings honour CACHE_VERSION, so this release has a number of its own",
            "A reboot in the middle: units of systemd would have tidied up",
        ],
    ),
    "a reload": (
        results(cleared={"caches": [cache(), LOCMEM], "msg": ""}),
        "systemd does not start this host",
        [
            "Cache version: a reload keeps the environment of its processes",
            "default: 1,204 entries of this app deleted, 41 sessions stay. Cleared.",
            "local: needs_restart. LocMemCache keeps its entries in the memory of each worker.",
            "A reboot in the middle: the next deploy would tidy up, since systemd does not start this host",
        ],
    ),
    # A restart has the number that serves, and where memcached is flushed there is none: nothing is to be said.
    "no cache version of its own": (results(switched={"caches": {**NO_CACHE_VERSION, "why": ""}}), None, []),
    "nothing switched": (Results(cleared=WOULD), None, ["default: would_clear."]),
}


@pytest.mark.parametrize(("done", "reboot", "expected"), WHY.values(), ids=WHY)
def test_the_reasons(done, reboot, expected):
    heading, about = "Why the caches were treated so:", "The app says of itself:"
    assert why_lines(done, "CACHE_VERSION", "\n".join(ABOUT), reboot) == [heading, *expected, about, *ABOUT]
