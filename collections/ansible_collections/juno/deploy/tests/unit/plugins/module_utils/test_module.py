# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A JunoError becomes a failed result, and nothing else does."""

from __future__ import annotations

import errno
import json
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.juno.deploy.plugins.module_utils import _module
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError


def ended(work: t.Callable[[AnsibleModule], dict[str, t.Any]], capsys: pytest.CaptureFixture[str]) -> dict[str, t.Any]:
    """Run work in a real module; return the result it leaves with, and its code."""
    with patch_module_args({}), pytest.raises(SystemExit) as caught:
        _module.run(AnsibleModule(argument_spec={}), work)
    result = json.loads(capsys.readouterr().out)
    return {**result, "code": caught.value.code}


def test_a_result_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    result = ended(lambda _module: {"changed": True, "figure": 3}, capsys)
    assert (result["code"], result["changed"], result["figure"]) == (0, True, 3)


def test_an_error_fails_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_module: AnsibleModule) -> dict[str, t.Any]:
        raise JunoError("The disk is full: remove something.", changed=True, free_bytes=0)

    result = ended(work, capsys)
    assert (result["code"], result["failed"]) == (1, True)
    assert (result["msg"], result["changed"], result["free_bytes"]) == ("The disk is full: remove something.", True, 0)


def test_a_failed_command_is_given_whole(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_module: AnsibleModule) -> dict[str, t.Any]:
        raise CommandError("git fetch failed.", cmd=["git", "fetch"], rc=128, stdout="", stderr="fatal: no remote")

    result = ended(work, capsys)
    assert {name: result[name] for name in ("cmd", "rc", "stdout", "stderr")} == {
        "cmd": ["git", "fetch"],
        "rc": 128,
        "stdout": "",
        "stderr": "fatal: no remote",
    }


def test_an_engine_that_ends_in_the_middle_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    engine.load()

    def work(_module: AnsibleModule) -> dict[str, t.Any]:
        raise engine.docker.errors.APIError("500")

    result = ended(work, capsys)
    assert (result["code"], result["failed"]) == (1, True)
    assert "The Docker Engine of this host failed in the middle of it (500)" in result["msg"]


def test_any_other_exception_is_a_bug_and_stays_one() -> None:
    def work(_module: AnsibleModule) -> dict[str, t.Any]:
        raise KeyError("project")

    with patch_module_args({}), pytest.raises(KeyError):
        _module.run(AnsibleModule(argument_spec={}), work)


def test_a_full_disk_is_told_wherever_it_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_module: AnsibleModule) -> dict[str, t.Any]:
        raise OSError(errno.ENOSPC, "No space left on device", "/var/lib/juno/jobs/build/x")

    assert "No room is left on this host for /var/lib/juno/jobs/build/x: free disk space" in ended(work, capsys)["msg"]
