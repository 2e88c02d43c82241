# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployer starts with, and what follows what."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, masking
from ansible_collections.juno.deploy.plugins.module_utils._release.release import Release, following, usual_seconds
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils._release.releases import BEGUN, release


@pytest.mark.parametrize(
    ("more", "built", "row"),
    [
        ({}, {}, ["build", "switch", "clear", "verify", "record"]),
        ({}, {"migrates": True}, ["build", "migrate", "switch", "clear", "verify", "record"]),
        ({"purpose": "rollback"}, {}, ["switch", "clear", "verify", "record"]),
        (
            {"purpose": "rollback", "reverse_migrations": True},
            {},
            ["switch", "reverse", "clear", "verify", "record"],
        ),
        ({"purpose": "restart"}, {}, ["switch", "verify", "record"]),
        ({"purpose": "restart", "recollect": True}, {}, ["build", "switch", "clear", "verify", "record"]),
    ],
)
def test_what_follows_what(tmp_path, more, built, row):
    at = release(tmp_path, {"build": built}, **more)
    found, name = [], "begin"
    while name := following(at, name):
        found.append(name)
    assert found == row


def test_a_rollback_with_nothing_to_reverse(tmp_path):
    at = release(tmp_path, {"begin": {**BEGUN, "reverse_to": {}}}, purpose="rollback", reverse_migrations=True)
    assert following(at, "switch") == "clear"


def handed_over(tmp_path):
    return {
        "spec": specs.release(state_root=str(tmp_path), service="site", worker_services=["queue"]),
        "holder": dataclasses.asdict(lock.Holder("one", "rollback", "rohit@laptop", pid=7, started="8")),
        "package": "/kept/abc",
        "controller_timeout_seconds": 45,
        "auto_continue": True,
        "taken_over": "she@there, at work since 10:00",
    }


def test_what_the_module_hands_over(tmp_path):
    found = Release.from_input(handed_over(tmp_path), 5)
    assert (found.app.services, found.holder.process.pid) == (("site", "queue"), 7)
    assert (found.package, found.lock, found.auto_continue, found.began) == ("/kept/abc", 5, True, False)
    assert found.controller_timeout == 45.0
    assert found.taken_over == "she@there, at work since 10:00"


def test_passwords_that_are_handed_over_are_told_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(masking, "known", masking.Known())
    given = handed_over(tmp_path)
    given["spec"]["registry_logins"] = [{"registry": "ghcr.io", "username": "ci", "password": "t0pS3cret"}]
    Release.from_input(given)
    assert masking.hide("docker said t0pS3cret") == f"docker said {masking.MASK}"


def test_headers_that_are_handed_over_are_sent_and_told_to_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(masking, "known", masking.Known())
    given = handed_over(tmp_path)
    given["spec"]["check_headers"] = {"X-Token": "t0pS3cret"}
    Release.from_input(given)
    assert check_headers.added({}) == {"X-Token": "t0pS3cret"}
    assert masking.hide("got t0pS3cret") == f"got {masking.MASK}"
    Release.from_input(handed_over(tmp_path))
    assert check_headers.added({}) == {}


def entry(number, outcome="done", **figures):
    return journal.Entry(number=number, outcome=outcome, commit=f"c{number}", figures=figures)


@pytest.mark.parametrize(
    ("entries", "usual"),
    [
        pytest.param([], {}, id="no release"),
        pytest.param([entry(1, build_seconds=3)], {}, id="of an earlier version"),
        pytest.param([entry(1, steps={"build": 69.6, "switch": 4})], {"build": 69.6, "switch": 4.0}, id="the last one"),
        pytest.param(
            [entry(1, steps={"build": 1.0}), entry(2, steps={"build": 2.0})], {"build": 2.0}, id="the newest one"
        ),
        pytest.param([entry(1, steps={"build": 1.0}), entry(2)], {"build": 1.0}, id="the newest one that tells"),
        pytest.param(
            [entry(1, steps={"build": 1.0}), entry(2, "failed", steps={"build": 2.0})], {"build": 1.0}, id="a good one"
        ),
        pytest.param([entry(1, steps={"build": "long", "switch": 2})], {"switch": 2.0}, id="broken by hand"),
        pytest.param([entry(1, steps=["build"])], {}, id="another version's"),
    ],
)
def test_what_a_step_takes_usually(tmp_path, entries, usual):
    app = app_app.from_params(handed_over(tmp_path)["spec"])
    journal.write(app.journal, entries)
    assert usual_seconds(app) == usual
    assert Release.from_input(handed_over(tmp_path)).usual == usual


def test_a_journal_that_can_not_be_read_is_for_the_first_step_to_tell(tmp_path):
    app = app_app.from_params(handed_over(tmp_path)["spec"])
    pathlib.Path(app.state_directory).mkdir()
    pathlib.Path(app.journal).write_text("{")
    assert usual_seconds(app) == {}
