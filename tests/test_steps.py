# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the tests, their order, and what runs them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools import run_tests, steps
from tools.steps import Step, choose

SOME = [
    Step("engine", ("true",)),
    Step("images", ("true",), ("engine",)),
    Step("lint:a", ("true",), quick=True),
    Step("lint:b", ("true",), quick=True),
    Step("molecule:x", ("true",), ("images",)),
    Step("soak", ("true",), ("images",), named_only=True),
]


def names(chosen):
    return [step.name for step in chosen]


@pytest.mark.parametrize(
    ("asked", "quick", "expected"),
    [
        ([], False, ["engine", "images", "lint:a", "lint:b", "molecule:x"]),
        ([], True, ["lint:a", "lint:b"]),
        (["lint"], False, ["lint:a", "lint:b"]),
        (["lint:b"], False, ["lint:b"]),
        (["molecule"], False, ["engine", "images", "molecule:x"]),
        (["soak"], False, ["engine", "images", "soak"]),
    ],
)
def test_steps_are_chosen_with_what_they_need(asked, quick, expected):
    assert names(choose(SOME, asked, quick=quick)) == expected


def test_an_unknown_step_is_refused():
    with pytest.raises(ValueError, match="No such step: typo"):
        choose(SOME, ["typo"], quick=False)


def test_every_need_of_the_real_steps_is_a_step():
    real = steps.all_steps()
    known = set(names(real))
    assert len(known) == len(real)
    assert all(need in known for step in real for need in step.needs)


def test_three_turns_take_every_scenario(monkeypatch):
    daily = set()
    for number in ("0", "1", "2"):
        monkeypatch.setenv("JUNO_TURN", number)
        chosen = names(choose(steps.all_steps(), [], quick=False))
        assert {f"molecule:{one}" for one in steps.ALWAYS} < set(chosen)
        assert steps.environment()["JUNO_TURN"] == number
        daily |= {one.partition(":")[2] for one in chosen if one.startswith("molecule:")}
    assert daily == set(steps.SOAKED) - set(steps.SOAK_ONLY)


def test_two_turns_take_every_target(monkeypatch):
    taken = []
    for number in ("0", "1"):
        monkeypatch.setenv("JUNO_TURN", number)
        argv = next(step.argv for step in steps.all_steps() if step.name == "integration")
        taken += argv[argv.index("--allow-destructive") + 1 :]
    argv, env = ["ansible-test", "integration", "--list-targets"], steps.environment()
    listed = subprocess.run(argv, cwd=steps.COLLECTION, env=env, capture_output=True, text=True, check=True)
    assert sorted(taken) == sorted(listed.stdout.split())


def test_the_turn_is_the_commits(monkeypatch):
    monkeypatch.delenv("JUNO_TURN", raising=False)
    assert steps.turn() > 10**9


def python(code):
    return (sys.executable, "-c", code)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(run_tests, "LOGS", tmp_path)

    def work(*chosen):
        runner = run_tests.Runner(list(chosen), {})
        runner.work()
        code = run_tests._report(runner, 1.0)
        return code, capsys.readouterr().out

    return work


def test_all_pass(run):
    code, out = run(Step("a", python("print('said by a')")), Step("b", python(""), ("a",)))
    assert code == 0
    assert "said by a" in out
    assert out.splitlines()[-1] == "2 passed, 0 failed"


def test_a_failure_and_what_needs_it_fail_and_the_rest_runs(run):
    code, out = run(
        Step("a", python("raise SystemExit(3)")),
        Step("b", python(""), ("a",)),
        Step("c", python(""), ("b",)),
        Step("d", python("")),
    )
    assert code == 1
    assert "a: exit code 3" in out
    assert "b: needs a" in out
    assert "c: needs b" in out
    assert out.splitlines()[-1] == "1 passed, 3 failed"


def test_a_program_that_is_missing_fails(run):
    code, out = run(Step("a", ("no-such-program-here",)))
    assert code == 1
    assert "could not be started" in out


def test_a_step_that_hangs_is_ended(run):
    code, out = run(Step("a", python("import time; time.sleep(60)"), minutes=0.01))
    assert code == 1
    assert "took longer than 0.01 minutes" in out


def test_nothing_run_is_a_failure(run):
    code, out = run()
    assert code == 1
    assert out.splitlines()[-1] == "0 passed, 0 failed"


def test_what_failed_is_shown_again():
    failed = ["TASK [Look]", "fatal: [droplet]: FAILED! =>", "    msg: the reason"]
    lines = [*["before"] * 100, *failed, *["tidied up"] * 100, "ERROR    Ansible return code was 2", "end"]
    shown = run_tests.recalled(lines)
    assert [line for line in failed if line not in shown] == []
    assert len(shown) == run_tests.BEFORE + run_tests.RECALLED
    assert "ERROR " not in "".join(shown)
    assert run_tests.recalled(["x" * 1000]) == ["x" * run_tests.WIDTH]
    assert run_tests.recalled(["one", "two"]) == ["one", "two"]
    assert run_tests.recalled(["a", "fatal: b", "c"]) == ["a", "fatal: b", "c"]
