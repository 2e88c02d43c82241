# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as the journal has it: of this version, of earlier and later ones, and broken by hand."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal_entry as it
from ansible_collections.juno.deploy.plugins.module_utils._state.cache_versions import CacheVersion
from ansible_collections.juno.deploy.plugins.module_utils._state.switch_spec import SwitchSpec

PATH = "/var/lib/juno/jobs/journal.json"
SPEC = SwitchSpec(
    commit="b" * 40,
    images={"web": "jobs-web:juno-b"},
    strategy="rolling",
    proxy_image="haproxy:3.0",
    base_url="",
    headers={"Host": "example.org"},
    readiness_path="/up",
    grace_seconds=30,
    boot_timeout_seconds=120.0,
    settle_seconds=3.2,
    cache_version=CacheVersion(7, "CACHE_VERSION", ("files",)),
    warm_paths=("/", "/jobs/"),
    pages=({"path": "/", "contains": ["Edition 2"]},),
    tcp_ports=(25,),
)
MIGRATION = {"app": "jobs", "name": "0002_b", "reversible": True, "lossy": []}
#: Every field with something in it.
FULL = it.JournalEntry(
    number=8,
    purpose="rollback",
    commit="b" * 40,
    strategy="rolling",
    who="me@here",
    started="2026-01-31T10:00:00Z",
    ended="2026-01-31T10:00:14Z",
    outcome="failed",
    undone=True,
    step="switched",
    before=it.Before(
        commit="a" * 40,
        containers={"i1": "web"},
        images={"web": "sha256:1"},
        workers=["celery"],
        stopped=["i0"],
        names={"jobs-web": "sha256:1"},
        override="services: {}",
        haproxy="global",
        proxy=True,
        others={"i2": {"service": "db", "image": "sha256:2", "running": True}},
    ),
    spec=SPEC,
    built={"web": "jobs-web:juno-b"},
    pulled={"web": "ghcr.io/me/jobs@sha256:9"},
    schema=it.Schema(["jobs.0001_a"], [MIGRATION]),
    migrating=it.Migrating("juno-1"),
    applied=[MIGRATION],
    applied_elsewhere=["tags.0001_t"],
    standing=["jobs.0002_b"],
    reversing=it.Reversing("c" * 40, {"web": "sha256:3"}),
    backup=it.BackupSpec("always", 60.0),
    backups=[{"kind": "file", "database": "/a/db", "path": "/b/copy", "bytes": 7, "seconds": 0.1}],
    restart_policies={"old": {"i1": {"Name": "always", "MaximumRetryCount": 0}}, "new": {}},
    moved=False,
    collected=True,
    touches=["db"],
    led=["nginx"],
    front_reloaded=["nginx"],
    others_new={"db": ["i3"]},
    workers_signalled=True,
    gunicorn_workers={"i4": 3},
    asked=True,
    invalidation_pending=True,
    problems=["nobody answers"],
    keep=5,
    keep_backups=3,
    build_cache_keep_mb=0,
    cache_version=7,
    cache_version_others=["files"],
    cache_version_covers=True,
    layout={"apps": ["jobs"], "static_at": {"root": "/static", "manifest": "staticfiles.json"}},
    containers={"i4": "web"},
    images={"web": "sha256:4"},
    configurations={"web": ["d1", "d2"]},
    workers={},
    started_workers=["i5"],
    workers_began=1.5,
    healthy=2.5,
    boot_seconds=0.5,
    moved_to_proxy=True,
    container_name="site",
    others={"db": {"image": "sha256:2", "digest": "d3"}},
    task_images={"migrate": "sha256:4"},
    proxy={"image": "haproxy:3.0", "id": "sha256:5", "digest": ""},
    published_ports=[("127.0.0.1", 8001, "http 200")],
    figures={"outage_seconds": 0.0, "visitors": {"requests": 7}},
    extra={"weather": "fine"},
)


def through_json(entry: it.JournalEntry) -> it.JournalEntry:
    return it.from_json(json.loads(json.dumps(entry.to_json())), PATH)


def test_what_is_written_is_read():
    empty = it.JournalEntry()
    assert not [one.name for one in dataclasses.fields(FULL) if getattr(FULL, one.name) == getattr(empty, one.name)]
    assert through_json(FULL) == FULL


def test_what_is_empty_is_not_written():
    assert it.JournalEntry(number=1).to_json() == {"number": 1, "purpose": "deploy", "step": "begin"}
    assert through_json(it.JournalEntry(number=1)) == it.JournalEntry(number=1)


@pytest.mark.parametrize("fields", [{"workers": {}}, {"moved": False}, {"build_cache_keep_mb": 0}])
def test_what_is_known_to_be_nothing_is_not_what_is_unknown(fields):
    entry = it.JournalEntry(number=1, **fields)
    assert through_json(entry) == entry != it.JournalEntry(number=1)


def test_the_first_versions_are_read():
    """As they were written: of the switch less was known, and that it had begun to migrate, but not by which run."""
    spec = {name: value for name, value in SPEC_AS_JSON.items() if name in FIRST_SPEC}
    before = {"commit": "a" * 40, "containers": {"i1": "web"}, "override": "", "haproxy": "", "proxy": False}
    found = it.from_json({**FIRST, "before": before, "spec": spec, "migrating": True}, PATH)
    assert (found.purpose, found.step, found.migrating) == ("deploy", "begin", it.Migrating(""))
    assert found.before == it.Before("a" * 40, {"i1": "web"})
    assert found.spec is not None
    assert (found.spec.grace_seconds, found.spec.warm_paths) == (30, ())
    assert found.extra == {"behind": ["proxy"]}
    assert (found.keep, found.workers, found.moved) == (None, None, None)


SPEC_AS_JSON: dict[str, t.Any] = FULL.to_json()["spec"]
FIRST_SPEC = ("commit", "images", "strategy", "proxy_image", "base_url", "headers", "readiness_path", "grace_seconds")
FIRST_SPEC = (*FIRST_SPEC, "boot_timeout_seconds", "settle_seconds")
FIRST = {"number": 3, "commit": "b" * 40, "outcome": "started", "figures": None, "behind": ["proxy"]}


def test_what_a_later_version_wrote_stays():
    raw = FULL.to_json()
    raw |= {"extra": 1, "seasons": ["spring"]}
    raw["before"] |= {"networks": ["jobs_default"]}
    raw["spec"]["cache_version"] |= {"scope": "all"}
    entry = it.from_json(raw, PATH)
    assert entry.before == FULL.before
    assert dataclasses.replace(entry, step="open").to_json() == {**raw, "step": "open"}


def test_of_a_part_that_has_gone_nothing_stays():
    raw = it.JournalEntry(number=1, reversing=it.Reversing("a")).to_json()
    raw["reversing"] |= {"host": "h1"}
    entry = dataclasses.replace(it.from_json(raw, PATH), reversing=None)
    assert entry.to_json() == it.JournalEntry(number=1).to_json()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"before": []}, "'before' of its release 8 is a list and ought to be an object"),
        ({"before": {"commit": "a"}}, "'before.containers' of its release 8 is missing"),
        ({"before": {"commit": "a", "containers": ["i1"]}}, "'before.containers' of its release 8 is a list and ought"),
        ({"before": {"commit": "a", "containers": {"i1": 7}}}, "'before.containers' of its release 8 is a whole"),
        ({"spec": {"commit": "b"}}, "'spec.images' of its release 8 is missing"),
        ({"spec": {**SPEC_AS_JSON, "grace_seconds": "30"}}, "'spec.grace_seconds' of its release 8 is a text and"),
        ({"outcome": True}, "'outcome' of its release 8 is true or false and ought to be a text"),
        ({"schema": {"pending": "none"}}, "'schema.pending' of its release 8 is a text and ought to be a list"),
        ({"keep": True}, "'keep' of its release 8 is true or false and ought to be a whole number"),
        ({"moved": "yes"}, "'moved' of its release 8 is a text and ought to be true or false"),
    ],
)
def test_what_the_undo_hangs_on_must_be_understood(fields, says):
    with pytest.raises(JunoError) as caught:
        it.from_json({**FULL.to_json(), **fields}, PATH)
    assert caught.value.message.startswith(f"The journal {PATH} can't be understood, since {says}")
    assert caught.value.message.endswith(": correct it, or set the file aside (mv), and deploy again.")


@pytest.mark.parametrize(
    "fields",
    [{"who": 7}, {"figures": "slow"}, {"published_ports": [["127.0.0.1"]]}, {"proxy": []}, {"started": ["yesterday"]}],
)
def test_what_is_only_shown_may_be_of_another_kind(fields):
    (name,) = fields
    found = it.from_json({**FULL.to_json(), **fields}, PATH)
    assert found == dataclasses.replace(FULL, **{name: getattr(it.JournalEntry(), name)})


@pytest.mark.parametrize("raw", [None, [], "release", {}, {"number": "8"}, {"number": True}, {"number": None}])
def test_what_is_no_release_is_told(raw):
    with pytest.raises(JunoError, match="one of its releases is no object with a number"):
        it.from_json(raw, PATH)


def test_fields_that_are_only_shown_are_fields():
    assert {one.name for one in dataclasses.fields(it.JournalEntry)} >= it.ONLY_SHOWN | it.ALWAYS
