# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: which variants run, that they cover what they must, and how their output is judged."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tools import soak_rows
from tools.matrix import plays, report
from tools.matrix.plays import Played
from tools.matrix.variants import CORES, NEWEST, OLDEST, Settings, Variant, choose

HERE = ("3.10", "3.11", "3.12", "3.13")
#: Each value that must be seen on the oldest and on the newest.
VALUES = [
    ("config", ("galaxy", "checkout")),
    ("pipelining", (False, True)),
    ("connection", ("ssh", "local", "docker")),
    ("become", ("no", "password", "nopasswd")),
    ("strategy", ("linear", "free")),
    ("forks", (1, 5)),
    ("serial", (False, True)),
    ("launcher", ("playbook", "runner", "runner-pipes")),
    ("callback", ("default", "minimal", "json")),
    ("check", (False, True)),
]


@pytest.mark.parametrize("core", [OLDEST, NEWEST])
@pytest.mark.parametrize(("name", "values"), VALUES, ids=[name for name, _values in VALUES])
def test_the_oldest_and_the_newest_see_each_value(core, name, values):
    seen = {getattr(one.settings, name) for one in choose(HERE, every=True).variants if one.core == core}
    assert seen == set(values)


def test_every_setting_has_its_values_here():
    assert {field.name for field in dataclasses.fields(Settings)} == {"hosts", *(name for name, _values in VALUES)}


@pytest.mark.parametrize("present", [HERE, (*HERE, "3.14"), ("3.11",), ()])
def test_of_all_each_controller_is_seen_or_named(present):
    choice = choose(present, every=True)
    named = {(one.core, one.python) for one in (*choice.variants, *choice.missing) if not one.refused}
    assert named == {(core, python) for core, pythons in CORES.items() for python in pythons}
    assert all(one.python in present for one in choice.variants)
    assert not any(one.python in present for one in choice.missing)


@pytest.mark.parametrize(
    ("present", "seen", "missing"),
    [
        (HERE, ["2.17/3.10", "2.21/3.13", "2.16/3.10"], ["2.21/3.14"]),
        ((*HERE, "3.14"), ["2.17/3.10", "2.21/3.14", "2.16/3.10"], []),
        (("3.11", "3.12"), ["2.17/3.11", "2.21/3.12", "2.16/3.11"], ["2.17/3.10", "2.21/3.14", "2.21/3.13"]),
        (("3.13",), ["2.21/3.13"], ["2.17/3.10", "2.21/3.14", "2.16/3.10"]),
    ],
)
def test_every_day_the_oldest_the_newest_and_one_that_is_refused(present, seen, missing):
    choice = choose(present, every=False)
    assert [one.name.partition(" ")[0] for one in choice.variants] == seen
    assert [one.name.partition(" ")[0] for one in choice.missing] == missing


def test_only_those_that_fit_and_of_all():
    assert {one.core for one in choose(HERE, every=False, only="^2.18/").variants} == {"2.18"}
    assert all(one.refused for one in choose(HERE, every=False, only="refused").variants)


JSON = Settings(callback="json")


@pytest.mark.parametrize(
    ("stdout", "stderr", "settings", "expected"),
    [
        ("ok: [h]\n", "", Settings(), []),
        ('{"plays": []}', "[WARNING]: words\n", JSON, []),
        ("build 3 s\n{}", "", JSON, ["stdout is not JSON alone: build 3 s {}"]),
        ("", "[DEPRECATION WARNING]: `x` is old.\n", Settings(), ["prints '[DEPRECATION WARNING]: `x` is old.'"]),
        ("", "[WARNING]: Deprecation warnings can be disabled by x\n", Settings(), []),
        ("Traceback (most recent call last):", "", Settings(), ["prints 'Traceback (most recent call last):'"]),
        ("  msg: Unexpected failure", "", Settings(), ["prints 'msg: Unexpected failure'"]),
    ],
)
def test_complaints(stdout, stderr, settings, expected):
    assert plays.complaints(Played(0, stdout, stderr), settings) == expected


_HOSTS = [{"hosts": {"h": {"msg": "fine"}}}, {"hosts": {"h": {"failed": True, "msg": "Not so"}}}]
FAILED = {"plays": [{"tasks": _HOSTS}]}


@pytest.mark.parametrize(
    ("stdout", "stderr", "expected"),
    [
        (json.dumps(FAILED), "", "Not so"),
        ("ok: [h]\nfatal: [h]: FAILED! =>\n    msg: Not so\n", "", "fatal: [h]: FAILED! => msg: Not so"),
        ('h | FAILED! => {\n    "msg": "Not so"\n}', "", 'h | FAILED! => { "msg": "Not so" }'),
        ("", "[WARNING]: x\n[ERROR]: Not so\n", "[ERROR]: Not so"),
        ("words\n", "", "words"),
    ],
)
def test_reasons(stdout, stderr, expected):
    assert Played(2, stdout, stderr).reason() == expected


@pytest.mark.parametrize(
    "stdout",
    ["msg: |-\n    Done: release 3\n    serves, it''s \"x\"", '"msg": "Done: release 3\\nserves, it\'s \\"x\\""'],
)
def test_what_was_said_is_one_line_by_every_callback(stdout):
    assert 'Done: release 3 serves, it\'s "x"' in Played(0, stdout, "").text


ROWS = [
    report.Row(Variant("2.17", "3.10"), "2.17.14", "passed", 61.6, ""),
    report.Row(Variant("2.17", "3.11"), "2.17.14", "failed", 8.2, "deploy: a | b\nmore"),
    report.Row(Variant("2.21", "3.14"), "2.21", "not seen", 0, "there is no Python 3.14 here"),
    report.Row(Variant("2.16", "3.10", refused=True), "2.16.19", "passed", 9, ""),
]


def test_the_table_names_what_was_seen_and_what_was_not():
    assert report.table(ROWS)[2:] == [
        report.HEAD,
        "matrix: 2.17.14 | 3.10 | ssh, no pipelining | passed | 62",
        "matrix: 2.17.14 | 3.11 | ssh, no pipelining | failed | 8 | deploy: a / b",
        "matrix: 2.21 | 3.14 | ssh, no pipelining | not seen | 0 | there is no Python 3.14 here",
        "matrix: 2.16.19 | 3.10 | refused | passed | 9",
        "Seen: ansible-core 2.17.14 on Python 3.10, 2.16.19 on Python 3.10",
        "Failed: ansible-core 2.17.14 on Python 3.11",
        "Not seen: ansible-core 2.21 on Python 3.14",
    ]


def test_the_table_of_the_soak_has_them(tmp_path):
    (tmp_path / "soak-matrix.log").write_text("\n".join(report.table(ROWS)), encoding="utf-8")
    assert soak_rows.table(tmp_path, [])[-4:] == [
        "ansible-core 2.17.14, Python 3.10: ssh, no pipelining | matrix | as it must be",
        "ansible-core 2.17.14, Python 3.11: ssh, no pipelining | matrix | FAILED",
        "ansible-core 2.21, Python 3.14: ssh, no pipelining | matrix | NOT SEEN",
        "ansible-core 2.16.19, Python 3.10: refused | matrix | as it must be",
    ]
