# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs, run for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import processes
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult, run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for


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


SPOKEN = """\
import sys, time
print("one", flush=True); time.sleep(0.2)
print("two", file=sys.stderr, flush=True); print("thr", end="", flush=True); time.sleep(0.2)
print("ee\\r", flush=True); print("x" * 200000); print("no end", end="")
sys.exit(3)
"""


@pytest.mark.parametrize("last", ["", "never printed"], ids=["alone", "with a last line"])
def test_lines_are_given_as_they_come_and_nothing_else_changes(last):
    batches: list[list[str]] = []
    result = python(SPOKEN, on_lines=lambda lines: batches.append(list(lines)), last=last)
    plain = python(SPOKEN)
    assert (result.rc, result.stdout, result.stderr) == (plain.rc, plain.stdout, plain.stderr)
    assert result.rc == 3
    lines = [line for lines in batches for line in lines]
    assert [line for line in lines if not line.startswith("x")] == ["one", "two", "three", "no end"]
    assert "".join(line for line in lines if line.startswith("x")) == "x" * 200000
    assert batches[:3] == [["one"], ["two"], batches[2]]  # not all at once


def test_a_line_without_an_end_is_given_in_pieces():
    lines: list[str] = []
    python("import sys; [print('y' * 1000, end='') for _ in range(300)]", on_lines=lines.extend)
    assert len(lines) > 1
    assert "".join(lines) == "y" * 300000


def test_time_is_bounded_where_lines_are_given():
    lines: list[str] = []
    with pytest.raises(JunoError, match=r"took longer than 0\.5 s") as caught:
        python("import time; print('begun', flush=True); time.sleep(30)", timeout_seconds=0.5, on_lines=lines.extend)
    assert lines == ["begun"]
    assert caught.value.details["stdout"] == "begun\n"


#: A program as docker's is: it starts another one in a process group of its own, which ignores that it is told to end.
FAMILY = """\
import os, subprocess, sys, time
code = "import os, signal, sys, time; os.setpgid(0, 0); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
code += "open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code, {file!r}])
while not os.path.exists({file!r}) or not open({file!r}).read():
    time.sleep(0.01)
print("both", os.getpid(), flush=True)
time.sleep(60)
"""


def pid_in(file) -> int:
    assert wait_for(lambda: file.exists() and bool(file.read_text()), 20)
    return int(file.read_text())


class Told(SystemExit):
    pass


@pytest.mark.parametrize("more", [{}, {"last": "never"}, {"on_lines": len}], ids=["plain", "last", "lines"])
@pytest.mark.parametrize("how", ["too long", "told to end"])
def test_a_program_that_is_given_up_is_ended_with_what_it_started(tmp_path, more, how):
    file = tmp_path / "child"

    def tell(_number, _frame) -> None:
        raise Told(1)

    def when_both_run() -> None:
        pid_in(file)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, tell)
    try:
        if how == "too long":
            with pytest.raises(JunoError, match="took longer"):
                python(FAMILY.format(file=str(file)), timeout_seconds=2, **more)
        else:
            threading.Thread(target=when_both_run, daemon=True).start()
            with pytest.raises(Told):
                python(FAMILY.format(file=str(file)), timeout_seconds=50, **more)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not processes.identify(pid_in(file)).is_alive()


def test_what_an_answer_to_its_lines_raises_ends_it_too(tmp_path):
    file = tmp_path / "child"

    def refuse(_lines) -> None:
        raise Told(1)

    with pytest.raises(Told):
        python(FAMILY.format(file=str(file)), on_lines=refuse)
    assert not processes.identify(pid_in(file)).is_alive()


STEP = """\
import signal, sys
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
def told(number, frame):
    raise SystemExit(7)
signal.signal(signal.SIGTERM, told)
run_command([sys.executable, "-c", {program!r}], timeout_seconds=50)
"""


def test_a_process_that_is_told_to_end_leaves_nothing_behind(tmp_path):
    file = tmp_path / "child"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    code = STEP.format(program=FAMILY.format(file=str(file)))
    step = subprocess.Popen([sys.executable, "-c", code], env=environment)
    pid = pid_in(file)
    step.terminate()
    assert step.wait(20) == 7
    assert not processes.identify(pid).is_alive()
