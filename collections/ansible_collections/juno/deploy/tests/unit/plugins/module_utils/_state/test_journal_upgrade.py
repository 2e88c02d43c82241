# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases of journals that earlier versions wrote."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._state import (
    cache_versions,
    journal_entry,
    journal_upgrade,
    switch_spec,
)

#: As schema 1 had a release that was cut off once its pages were known to be right.
OLD = {
    "number": 3,
    "commit": "b" * 40,
    "outcome": "started",
    "step": "proved",
    "before": {"commit": "a" * 40, "containers": {"i1": "web"}, "edge": True},
    "order": {
        "commit": "b" * 40,
        "images": {},
        "strategy": "rolling",
        "edge_image": "haproxy:3.0",
        "base_url": "",
        "headers": {},
        "probe_path": "/up",
        "grace_seconds": 30,
        "boot_timeout_seconds": 120,
        "settle_seconds": 3,
        "epoch": {"value": 7, "variable": "V", "others": [], "why": ""},
        "edge_pull": True,
    },
    "workers_told": True,
    "caches_owed": True,
    "epoch": 7,
    "epoch_others": ["files"],
    "epoch_covers": True,
    "moved_to_edge": True,
    "edge": {"image": "haproxy:3.0"},
    "doors": [["127.0.0.1", 8001, "http 200"]],
    "keep_cache_mb": 0,
    "figures": {"steps": {"switch": 5.0, "prove": 1.5}},
}


def test_a_release_of_schema_1_is_read():
    entry = journal_entry.from_json(OLD, "journal.json")
    assert (entry.step, entry.extra) == ("verified", {})
    assert entry.before is not None
    assert entry.before.proxy
    assert entry.spec is not None
    assert (entry.spec.proxy_image, entry.spec.proxy_pull) == ("haproxy:3.0", True)
    assert entry.spec.readiness_path == "/up"
    assert entry.spec.cache_version == cache_versions.CacheVersion(7, "V")
    assert (entry.workers_signalled, entry.invalidation_pending, entry.moved_to_proxy) == (True, True, True)
    assert (entry.cache_version, entry.cache_version_others, entry.cache_version_covers) == (7, ["files"], True)
    assert entry.proxy == {"image": "haproxy:3.0"}
    assert (entry.published_ports, entry.build_cache_keep_mb) == ([("127.0.0.1", 8001, "http 200")], 0)
    assert entry.figures == {"steps": {"switch": 5.0, "verify": 1.5}}


def test_only_the_names_of_today_are_written():
    written = journal_entry.from_json(OLD, "journal.json").to_json()
    assert not journal_upgrade.NAMES.keys() & (written.keys() | written["spec"].keys() | written["before"].keys())


def test_what_has_the_names_of_today_stays():
    assert journal_upgrade.upgraded({"edge": 1, "proxy": 2}) == {"edge": 1, "proxy": 2}


@pytest.mark.parametrize("cls", [journal_entry.JournalEntry, switch_spec.SwitchSpec, journal_entry.Before])
def test_no_old_name_is_one_of_today(cls):
    assert not journal_upgrade.NAMES.keys() & {one.name for one in dataclasses.fields(cls)}


def test_each_new_name_is_one_of_today():
    parts = (journal_entry.JournalEntry, switch_spec.SwitchSpec, journal_entry.Before)
    assert set(journal_upgrade.NAMES.values()) <= {one.name for cls in parts for one in dataclasses.fields(cls)}


@pytest.mark.parametrize("part", [None, [], "rolling", {}])
def test_what_is_no_object_is_left_to_the_reader(part):
    assert journal_upgrade.upgraded({"order": part, "before": part}) == {"spec": part, "before": part}
