# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs, run for real."""

from __future__ import annotations

import sys
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult, run_command
from ansible_collections.juno.deploy.plugins.module_utils._errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._waiting import wait_for


def python(code: str, **more: t.Any) -> CommandResult:
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


LAST = """\
import os, sys, time
print("first"); print("told end"{more}, flush=True)
sys.stderr.write("and this"); sys.stderr.flush()
time.sleep({sleep})
print("too late", flush=True)
open({file!r}, "w").close()
sys.exit(3)
"""


def test_a_program_that_has_said_all_is_left_to_end_by_itself(tmp_path):
    file = tmp_path / "tidied"
    result = python(LAST.format(more="", sleep=1, file=str(file)), last="told end")
    assert (result.rc, result.stdout) == (0, "first\ntold end\n")
    assert not file.exists()
    # It may print and tidy up, though nobody listens any more.
    assert wait_for(file.exists, 20)


def test_much_may_have_been_printed_before(tmp_path):
    code = "print('x' * 100000); " + LAST.format(more="", sleep=0.5, file=str(tmp_path / "tidied"))
    result = python(code.replace("print('x'", "import os; print('x'"), last="told end")
    assert result.stdout.endswith("\nfirst\ntold end\n")
    assert len(result.stdout) > 100_000


@pytest.mark.parametrize("more", [', "{}", end=""', ', end=""'])
def test_half_a_line_is_not_the_last(tmp_path, more):
    result = python(LAST.format(more=more, sleep=0.2, file=str(tmp_path / "tidied")), last="told end")
    assert result.stdout.endswith("too late\n")


def test_one_that_never_says_it_is_judged_by_its_end(tmp_path):
    result = python(LAST.format(more="", sleep=0, file=str(tmp_path / "tidied")), last="end")
    assert (result.rc, result.stdout, result.stderr) == (3, "first\ntold end\ntoo late\n", "and this")


def test_one_that_never_says_it_is_bounded(tmp_path):
    with pytest.raises(JunoError, match=r"took longer than 0\.3 s") as caught:
        python(LAST.format(more="", sleep=30, file=str(tmp_path / "tidied")), last="end", timeout_seconds=0.3)
    assert caught.value.details["stdout"] == "first\ntold end\n"
