# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook that may be killed, and don't wait for what it leaves running: run_play.py FOLDER ARGV...

What it printed is printed at the end, with what the fault's own command printed; the exit code is the playbook's, 137
after a SIGKILL.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import uuid

LONGEST_SECONDS = 400
ENDED = "fault_at: ended with code"


def main(folder: str, *argv: str) -> int:
    """Run it."""
    where = pathlib.Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    log = where / "fault.log"
    log.unlink(missing_ok=True)
    own = {**os.environ, "JUNO_FAULT_RUN": uuid.uuid4().hex, "JUNO_FAULT_LOG": str(log)}
    # A file and no pipe: what a killed playbook leaves running would hold a pipe open.
    with (where / "play.log").open("w", encoding="utf-8") as out:
        done = subprocess.run(
            argv,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            timeout=LONGEST_SECONDS,
            # A group of its own, as in a terminal: Ctrl-C is for all of it.
            start_new_session=True,
            check=False,
        )
    problem = wait(log) if "run" in json.loads(os.environ.get("JUNO_FAULT") or "{}") else ""
    sys.stdout.write((where / "play.log").read_text(encoding="utf-8"))
    if log.exists():
        sys.stdout.write(f"\n== the fault ==\n{log.read_text(encoding='utf-8')}")
    if problem:
        sys.stdout.write(f"\nrun_play.py: the fault did not {problem}")
        return 1
    return 128 - done.returncode if done.returncode < 0 else done.returncode


def wait(log: pathlib.Path) -> str:
    """Wait until the fault's command has ended; return what is wrong: one that never began is an error of the test."""
    began = time.monotonic()
    pause = threading.Event()
    while not (log.exists() and ENDED in log.read_text(encoding="utf-8")):
        waited = time.monotonic() - began
        if waited > (120 if log.exists() else 10):
            return "end" if log.exists() else "begin: is there such a step?"
        pause.wait(0.1)
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
