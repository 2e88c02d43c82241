# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs, run for real."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult, run_command
from ansible_collections.juno.deploy.plugins.module_utils._errors import CommandError, JunoError


def python(code: str, **more: float) -> CommandResult:
    return run_command([sys.executable, "-c", code], **more)


def test_output_and_code_are_kept_apart():
    result = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (result.rc, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_a_failure_says_the_last_words_and_keeps_all():
    with pytest.raises(CommandError, match=r"^It broke \(last\)\.$") as caught:
        python("print('first\\nlast\\n\\n'); raise SystemExit(1)").require("It broke ({cause}).")
    assert caught.value.details["stdout"] == "first\nlast\n\n\n"


def test_nothing_is_read_from_the_terminal():
    assert python("print(repr(input()))").rc == 1


def test_time_is_bounded():
    with pytest.raises(JunoError, match=r"took longer than 0\.2 s"):
        python("import threading; threading.Event().wait(30)", timeout_seconds=0.2)


def test_a_missing_program_is_told():
    with pytest.raises(JunoError, match="'nosuch-program' is not on this host"):
        run_command(["nosuch-program"])
