# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests, two steps at a time where that is safe, and end with one line: N passed, N failed.

python -m tools.run_tests            everything
python -m tools.run_tests --quick    lint, types, unit tests
python -m tools.run_tests NAME ...   these steps, or groups of them, and what they need
"""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import types
import uuid

from droplet import droplets, engine
from droplet.process import DropletError
from tools import soak_rows, steps
from tools.steps import Step

LOGS = steps.ROOT / ".cache" / "test"
#: Lines of a failed step that are shown again at the end: some before the last one that says what failed, some from it.
BEFORE, RECALLED = 4, 24
#: How Ansible and pytest begin such a line, what says most first: Molecule ends with an ERROR that says only that.
FAILURES = (("fatal: ", "failed: "), ("FAILED ",), ("ERROR ",))
#: A line is shown no further: a reason comes first, a log after it.
WIDTH = 600


class Runner:
    """Runs steps by a few workers; each waits for what its step needs."""

    def __init__(self, chosen: list[Step], env: dict[str, str]) -> None:
        self.waiting = list(chosen)
        self.env = env
        self.passed: dict[str, float] = {}
        self.failed: dict[str, str] = {}
        self._running: dict[str, tuple[Step, subprocess.Popen[bytes]]] = {}
        self._taken: dict[str, Step] = {}
        self._change = threading.Condition()
        self.stopped = False

    def work(self) -> None:
        """Take steps until none is left."""
        while (step := self._take()) is not None:
            began = time.monotonic()
            reason = self._run(step)
            with self._change:
                took = time.monotonic() - began
                del self._taken[step.name]
                if reason:
                    self.failed[step.name] = reason
                else:
                    self.passed[step.name] = took
                self._show(step, took, reason)
                self._change.notify_all()

    def stop(self) -> None:
        """End what runs, with all its children; start nothing more."""
        self.stopped = True
        for _step, process in list(self._running.values()):
            _end(process)

    def _take(self) -> Step | None:
        with self._change:
            while True:
                self._fail_unmet()
                if self.stopped or not self.waiting:
                    return None
                busy = {step.alone for step in self._taken.values()}
                for step in self.waiting:
                    if all(need in self.passed for need in step.needs) and (not step.alone or step.alone not in busy):
                        self.waiting.remove(step)
                        self._taken[step.name] = step
                        print(f"... {step.name} begins", flush=True)
                        return step
                self._change.wait()

    def _fail_unmet(self) -> None:
        for step in list(self.waiting):
            unmet = [need for need in step.needs if need in self.failed]
            if unmet:
                self.waiting.remove(step)
                self.failed[step.name] = f"needs {', '.join(unmet)}"
                self._fail_unmet()
                return

    def _run(self, step: Step) -> str:
        LOGS.mkdir(parents=True, exist_ok=True)
        try:
            with _log(step.name).open("wb") as out:
                process = subprocess.Popen(
                    step.argv,
                    cwd=step.cwd,
                    env={**self.env, **step.env},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running[step.name] = (step, process)
                code = process.wait(timeout=step.minutes * 60)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"took longer than {step.minutes:g} minutes"
        except OSError as exc:
            return f"could not be started ({exc})"
        finally:
            self._running.pop(step.name, None)
        return f"exit code {code}" if code else ""

    def _show(self, step: Step, took: float, reason: str) -> None:
        verdict = f"FAILED ({reason})" if reason else "passed"
        print(f"\n===== {step.name}: {verdict}, {took:.0f} s", flush=True)
        text = (
            _log(step.name).read_text(encoding="utf-8", errors="replace").rstrip() if _log(step.name).exists() else ""
        )
        print(f"$ {' '.join(step.argv)}\n{text}\n" if text else f"$ {' '.join(step.argv)}\n", flush=True)


def _log(name: str) -> pathlib.Path:
    return LOGS / f"{name.replace(':', '-')}.log"


def _recall(name: str) -> None:
    """Show of a failed step once more what failed: whoever reads only the end of a long output must see why."""
    log = _log(name)
    if log.exists():
        print(f"\n===== what failed in {name}")
        print("\n".join(recalled(log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines())))


def recalled(lines: list[str]) -> list[str]:
    """Return the lines around the last one that says what failed, or the last ones where none does."""
    for words in FAILURES:
        found = [number for number, line in enumerate(lines) if line.startswith(words)]
        if found:
            begin = max(0, found[-1] - BEFORE)
            lines = lines[begin : found[-1] + RECALLED]
            break
    return [line[:WIDTH] for line in lines[-(BEFORE + RECALLED) :]]


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _report(runner: Runner, seconds: float) -> int:
    print("===== summary")
    for name, took in runner.passed.items():
        print(f"passed  {took:6.0f} s  {name}")
    for name, reason in runner.failed.items():
        print(f"FAILED            {name}: {reason}")
    for step in runner.waiting:
        print(f"FAILED            {step.name}: not run")
    for name in runner.failed:
        _recall(name)
    if any(name.startswith("soak:") for name in (*runner.passed, *runner.failed)):
        table = "\n".join(soak_rows.table(LOGS, runner.passed))
        (LOGS / "soak.txt").write_text(f"{table}\n", encoding="utf-8")
        print(f"\n{table}\n")
    failed = len(runner.failed) + len(runner.waiting)
    print(f"in {seconds / 60:.1f} minutes")
    print(f"{len(runner.passed)} passed, {failed} failed", flush=True)
    return 0 if runner.passed and not failed else 1


def _clean(run: str, had_engine: bool) -> None:
    """Take down what this run brought up; droplets of a step that was killed are still there."""
    if engine.answers():
        droplets.down_run(run)
        if not had_engine:
            engine.down()


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="lint, types and unit tests only")
    parser.add_argument("--workers", type=int, default=2, help="steps at a time")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    try:
        chosen = steps.choose(steps.all_steps(), args.names, quick=args.quick)
    except ValueError as exc:
        print(exc)
        return 2
    run, had_engine, began = uuid.uuid4().hex, engine.answers(), time.monotonic()
    runner = Runner(chosen, {**steps.environment(), droplets.RUN_VARIABLE: run})

    def interrupted(_number: int, _frame: types.FrameType | None) -> None:
        runner.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    workers = [threading.Thread(target=runner.work) for _ in range(args.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    problem = ""
    try:
        _clean(run, had_engine)
    except DropletError as exc:
        problem = str(exc)
    code = _report(runner, time.monotonic() - began)
    if problem:
        print(f"What the tests started could not be taken down: {problem}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
