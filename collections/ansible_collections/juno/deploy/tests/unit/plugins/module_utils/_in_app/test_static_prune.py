# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of earlier releases may go."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_prune as it
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static_memory import empty, remember

A, B, C, D = ({"a.css": f"a.{letter * 12}.css"} for letter in "abcd")
A["gone.js"] = "gone.111111111111.js"
OLD = ["a.aaaaaaaaaaaa.css", "a.aaaaaaaaaaaa.css.gz", "gone.js", "gone.js.br", "gone.111111111111.js"]
MIDDLE = ["a.bbbbbbbbbbbb.css", "a.bbbbbbbbbbbb.css.br"]
RECENT = ["a.cccccccccccc.css"]
LIVE = ["a.css", "a.css.gz", "a.dddddddddddd.css", "a.dddddddddddd.css.gz"]
#: Hashed names that no manifest named, of files that are or were known.
ORPHANS = ["a.eeeeeeeeeeee.css", "a.eeeeeeeeeeee.css.gz"]
FOREIGN = ["by-hand.txt", "CACHE/css/output.123456789abc.css", "jquery.min.js", "logo.deadbeef.png"]
FILES = (*OLD, *MIDDLE, *RECENT, *LIVE, *ORPHANS, *FOREIGN)
#: A, B, C and D went live at these times.
TIMES = (1000, 2000, 3000, 4000)


def memory(*manifests, times=TIMES):
    kept = empty()
    for number, paths in enumerate(manifests):
        remember(kept, str(sorted(paths.items())), paths, times[number])
    return kept


def doomed(rules, seen=None, paths=D, files=FILES):
    every = {"keep_releases": 1, "html_max_age": 0, "now": 9000, "started": 8000, **rules}
    files = files if isinstance(files, dict) else dict.fromkeys(files, 0.0)
    found, unknown = it.doomed(files, paths, seen or memory(A, B, C, D), every)
    return sorted(found), unknown


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ({}, OLD + MIDDLE + RECENT + ORPHANS),
        ({"keep_releases": 2}, OLD + MIDDLE + ORPHANS),
        ({"keep_releases": 3}, OLD + ORPHANS),
        ({"keep_releases": 4}, ORPHANS),
        ({"keep_releases": 99}, ORPHANS),
        # C was replaced 5000 seconds ago, B 6000 and A 7000.
        ({"html_max_age": 5000}, OLD + MIDDLE + RECENT + ORPHANS),
        ({"html_max_age": 5001}, OLD + MIDDLE + ORPHANS),
        ({"html_max_age": 6500}, OLD + ORPHANS),
        ({"html_max_age": 7500}, ORPHANS),
        ({"html_max_age": 8001}, []),
        # A process that has started while B was live knows what B, C and D name.
        ({"started": 2500}, OLD + ORPHANS),
        ({"started": 3000}, OLD + ORPHANS),
        ({"started": 3001}, OLD + MIDDLE + ORPHANS),
        ({"started": 1500}, ORPHANS),
        ({"started": 0}, []),
        ({"started": float("inf")}, OLD + MIDDLE + RECENT + ORPHANS),
    ],
)
def test_what_goes(rules, gone):
    found, unknown = doomed(rules)
    assert found == sorted(gone)
    others = [name for name in FOREIGN if name not in found]
    assert unknown == len(others) + len([name for name in ORPHANS if name not in found])
    assert not set(found) & {*LIVE, *FOREIGN}


@pytest.mark.parametrize(
    ("made", "rules", "gone"),
    [
        # Made while B was live, by a collect that nobody saw: out of use when C was seen, at 3000, at the latest.
        (2500, {"html_max_age": 6000, "started": 3001}, True),
        (2500, {"html_max_age": 6001, "started": 3001}, False),
        (2500, {"html_max_age": 6000, "started": 3000}, False),
        # Made after all that was seen: it may be in use.
        (4500, {}, False),
    ],
)
def test_an_orphan_counts_from_the_next_manifest_that_was_seen(made, rules, gone):
    name = "a.eeeeeeeeeeee.css"
    assert (doomed(rules, files={"a.css": 0.0, name: float(made)})[0] == [name]) is gone


def test_orphans_stay_while_the_memory_is_young():
    young = memory(D, times=(8990,))
    assert doomed({"html_max_age": 60, "started": 8995}, young)[0] == []
    assert doomed({"html_max_age": 5, "started": 8995}, young)[0] == sorted(
        ORPHANS + MIDDLE + RECENT + [name for name in OLD if not name.startswith("gone.js")]
    )
    assert doomed({"html_max_age": 5, "started": 8980}, young)[0] == []


def test_nothing_goes_without_a_memory():
    assert doomed({}, empty())[0] == []


def test_a_release_that_came_back_counts_once():
    times = (1000, 2000, 3000, 4000, 5000)
    assert "a.bbbbbbbbbbbb.css" not in doomed({"keep_releases": 2}, memory(B, D, B, D, times=times))[0]
    assert "a.aaaaaaaaaaaa.css" not in doomed({"keep_releases": 3}, memory(A, B, D, B, D, times=times))[0]
    assert "a.aaaaaaaaaaaa.css" in doomed({"keep_releases": 2}, memory(A, B, D, B, D, times=times))[0]


def test_a_hashed_name_without_its_file_is_nobodys():
    files = ["x.aaaaaaaaaaaa.css", "y.css", "y.aaaaaaaaaaaa.css", "z.aaaaaaaaaaaA.css"]
    assert doomed({}, files=files) == (["y.aaaaaaaaaaaa.css"], 3)


def test_the_oldest_process():
    with open("/proc/uptime", encoding="ascii") as file:
        uptime = float(file.read().split()[0])
    started = it.oldest_start(True)
    assert started is not None
    assert started == float("inf") or uptime > 0
    with open("/proc/stat", encoding="ascii") as file:
        booted = next(int(line.split()[1]) for line in file if line.startswith("btime "))
    assert started >= booted - it.CLOCK_SECONDS


def test_a_child_and_its_parents_are_told_apart():
    processes = {1: (0, 5), 10: (1, 6), 11: (10, 7), 20: (1, 8)}
    assert it._ancestors(11, processes) == {11, 10, 1}
    assert it._ancestors(99, processes) == set()


def test_no_proc_is_not_known(monkeypatch):
    def refuse(*_args, **_more):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert it.oldest_start(True) is None


def test_only_the_apps_processes_count_on_a_host(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert it._is_app(os.getpid())
    with subprocess.Popen(["sleep", "30"], cwd="/") as other, subprocess.Popen(["sleep", "30"]) as ours:
        try:
            assert not it._is_app(other.pid)
            assert it._is_app(ours.pid)
        finally:
            other.kill()
            ours.kill()
