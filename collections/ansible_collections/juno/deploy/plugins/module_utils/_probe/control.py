# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and end the prober that measures a deploy. Private to juno.deploy: no stable interface.

The prober outlives the module that starts it, and is found again by the file C(probe.json).
"""

from __future__ import annotations

import concurrent.futures
import inspect
import json
import math
import os
import secrets
import signal
import subprocess
import sys
import time
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, files, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import request_target
from ansible_collections.juno.deploy.plugins.module_utils._probe import prober
from ansible_collections.juno.deploy.plugins.module_utils._probe import samples as probe_samples
from ansible_collections.juno.deploy.plugins.module_utils._verify import freshness

LONGEST_SECONDS = 3600.0
MOST_PER_SECOND = 100.0
#: Beyond the time that the prober gives its last requests.
GRACE_SECONDS = 5.0
RENDERINGS = 2
FILES = ("probe.json", "probe.samples", "probe.errors")
#: Of earlier versions.
FORMER_FILES = ("meter.json", "meter.samples", "meter.errors")

State = dict[str, t.Any]


def start(directory: str, spec: dict[str, t.Any]) -> State:
    """Start a prober, after ending one that an interrupted deploy left; a rate of 0 only does the latter.

    :raises JunoError: the spec makes no sense, or the process or its files can't be made.
    """
    full = checked(spec)
    abandon(directory)
    if not full["rate_per_second"]:
        return {"running": False}
    samples = os.path.join(directory, "probe.samples")
    state: State = {"pid": 0, "process_started": 0, "spec": full, "began": time.time()}
    try:
        os.makedirs(directory, mode=0o750, exist_ok=True)
        # A new file, so that nothing an old prober may still write gets into it.
        os.close(os.open(samples, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
        state["pid"] = _spawn(directory, samples, full)
        state["process_started"] = processes.start_of(state["pid"]) or 0
        _write(directory, state)
    except OSError as exc:
        processes.end(process_of(state), GRACE_SECONDS, signal.SIGKILL)
        raise JunoError(
            f"The availability probe can't be started below {directory} ({exc.strerror}): free disk space or fix the "
            "permissions, or turn it off with a rate of 0."
        ) from exc
    return {"running": True, "pid": state["pid"], "began": state["began"]}


def checked(spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a spec with all its defaults, in the form in which it is sent.

    :raises BadInputError: it makes no sense.
    """
    parts = urllib.parse.urlsplit(spec["base_url"])
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInputError(
            f"The availability probe can't ask for pages at '{spec['base_url']}': give the site's address on this "
            "host, like http://127.0.0.1:8001."
        )
    rate = float(spec.get("rate_per_second", 0))
    if not 0 <= rate <= MOST_PER_SECOND:
        raise BadInputError(
            f"The availability probe's rate of {rate:g} requests/s makes no sense: give 0 to {MOST_PER_SECOND:g}."
        )
    if rate and not spec["pages"]:
        raise BadInputError(
            "The availability probe has no page to ask for: name one, like /, or turn it off with a rate of 0."
        )
    return {
        "base_url": spec["base_url"],
        "headers": dict(spec.get("headers") or {}),
        "pages": [_checked_page(page) for page in spec["pages"]],
        "rate_per_second": rate,
        "longest_seconds": float(spec.get("longest_seconds") or LONGEST_SECONDS),
        "deployer": spec.get("deployer") or [],
        "volatile": freshness.IN_ANY_RENDERING,
    }


def _checked_page(page: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a page with all its defaults.

    :raises BadInputError: its path makes no sense.
    """
    if not page["path"].startswith("/"):
        raise BadInputError(
            f"The availability probe's path '{page['path']}' does not begin with a slash: write one before it."
        )
    return {
        "path": request_target(page["path"]),
        "status": page.get("status"),
        "contains": list(page.get("contains") or []),
        "excludes": list(page.get("excludes") or []),
    }


def process_of(state: State) -> processes.Process:
    """Return the prober's process."""
    return processes.Process(state["pid"], str(state["process_started"]))


def finish(directory: str, marks: t.Mapping[str, float | None]) -> dict[str, t.Any]:
    """End the prober after its last answers and sum up what it saw; again later it gives the same.

    :raises JunoError: its samples can't be read.
    """
    state = _read(directory)
    if state is None:
        run, when = probe_samples.Run([], 0.0), probe_samples.Marks()
    else:
        processes.end(process_of(state), prober.DRAIN_SECONDS + GRACE_SECONDS)
        spec, when = _asking(state["spec"]), probe_samples.Marks.of(marks)
        pages, rate = spec["pages"], spec["rate_per_second"]
        run = probe_samples.parse(_samples(directory), pages, rate)
        if run.requests and when.old_gone != math.inf and run.requests[-1].start < when.old_gone:
            # So short was the rest of the deploy: whether a page is old is told by an answer from after that.
            _ask_once_more(directory, spec)
            run = probe_samples.parse(_samples(directory), pages, rate)
        if not run.ended:
            run.ended = _last_words(directory)
    fresh = _render(_asking(state["spec"]), list(probe_samples.suspects(run, when))) if state else {}
    return probe_samples.figures(run, when, fresh)


def _asking(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a spec with the headers that are in no file."""
    return {**spec, "headers": check_headers.added(spec["headers"])}


def _ask_once_more(directory: str, spec: dict[str, t.Any]) -> None:
    """Ask for each page as the prober, which has ended, would have."""
    samples = prober.Samples(os.path.join(directory, "probe.samples"))
    for number, page in enumerate(spec["pages"]):
        began = time.time()
        result, digest, wrong = prober.ask(spec, page)
        samples.add("r", round(began, 4), round(time.time() - began, 4), number, result, digest, int(wrong))


def abandon(directory: str) -> bool:
    """End a prober without figures, if one is left, and remove its files; return whether one ran."""
    state = _read(directory)
    ran = state is not None and process_of(state).is_alive()
    if state is not None:
        processes.end(process_of(state), GRACE_SECONDS, signal.SIGKILL)
    for name in (*FILES, *FORMER_FILES):
        path = os.path.join(directory, name)
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            raise JunoError(f"{path} can't be removed ({exc.strerror}): deploy as the user who owns it.") from exc
    return ran


def _spawn(directory: str, samples: str, spec: dict[str, t.Any]) -> int:
    argv = [sys.executable, "-I", "-c", inspect.getsource(prober), samples]
    # Blocked here and thus in the new process, a signal that comes before it looks for signals waits for it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, prober.SIGNALS)
    try:
        with open(os.path.join(directory, "probe.errors"), "wb") as errors:
            process = subprocess.Popen(
                argv,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    with t.cast("t.BinaryIO", process.stdin) as pipe:
        pipe.write(json.dumps(_asking(spec)).encode())
    # It is meant to outlive this one: nobody waits for it.
    process.returncode = 0
    return process.pid


def _write(directory: str, state: State) -> None:
    files.replace(os.path.join(directory, "probe.json"), json.dumps(state))


def _read(directory: str) -> State | None:
    path = os.path.join(directory, "probe.json")
    try:
        with open(path, encoding="utf-8") as file:
            state: State = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        raise JunoError(
            f"The availability probe's file {path} can't be read ({exc}): remove it and deploy again."
        ) from exc
    return state


def _samples(directory: str) -> str:
    path = os.path.join(directory, "probe.samples")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as exc:
        raise JunoError(
            f"The availability probe's samples {path} can't be read ({exc.strerror}): its figures are lost."
        ) from exc


def _last_words(directory: str) -> str:
    """Return the last line of a prober that broke."""
    try:
        with open(os.path.join(directory, "probe.errors"), encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
    except FileNotFoundError:
        return ""
    return lines[-1] if lines else ""


def _render(spec: dict[str, t.Any], pages: list[int]) -> dict[int, list[probe_samples.Sample]]:
    """Let pages be rendered again, twice each."""
    wanted = [page for page in pages for _again in range(RENDERINGS)]

    def one(page: int) -> probe_samples.Sample:
        result, digest, wrong = prober.ask(spec, spec["pages"][page], secrets.token_hex(8))
        return probe_samples.Sample(time.time(), 0.0, page, result, digest, wrong)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(one, wanted))
    return {page: [sample for sample in made if sample.page == page] for page in pages}
