# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a Django app's Python printed. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import json
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events, masking
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import NOW

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: The line of a traceback that names the exception.
EXCEPTION = re.compile(r"^(\w+\.)*\w*(Error|Exception|Exit|Interrupt|Warning|Configured|NotReady)\b")


def split_results(stdout: str, token: str) -> tuple[str, dict[str, t.Any]]:
    """Take the results of our code out of the app's output."""
    results: dict[str, t.Any] = {}
    kept = []
    for line in stdout.splitlines():
        words = line.split(" ", 2)
        if words[0] != token or len(words) != 3:
            kept.append(line)
        elif words[1] != NOW:
            results[words[1]] = json.loads(words[2])
    return "\n".join(kept), results


def pass_on(lines: Sequence[str], token: str) -> None:
    """Tell on what our code says in these lines that it is doing just now."""
    for line in lines:
        words = line.split(" ", 2)
        if words[:2] == [token, NOW] and len(words) == 3:
            # The app's own code may have printed something in between.
            with contextlib.suppress(ValueError, KeyError, TypeError):
                events.tell(str(json.loads(words[2])["words"]))


def mask(text: str) -> str:
    """Hide user and password of every URL in a text, and every secret of the app that is known."""
    return masking.hide(text)


def cause(stderr: str, stdout: str = "") -> str:
    """Return the error in what a management command printed, in one line.

    The last line alone won't do: some exceptions explain themselves over many lines, of which the last says least.
    """
    lines = [line.rstrip() for line in stderr.splitlines()]
    first = [line for line in lines if line.startswith("Post-processing '") and line.endswith("failed!")]
    # "CommandError: compilemessages generated one or more errors" comes after what it means.
    first += [line for line in lines if line.startswith("Execution of ") and " failed: " in line]
    starts = [number for number, line in enumerate(lines) if EXCEPTION.match(line)]
    unknown = [number for number, line in enumerate(lines) if line.startswith("Unknown command:")]
    if starts or unknown:
        rest = lines[(starts or unknown)[-1] :]
    else:
        rest = [line for line in (*stdout.splitlines(), *lines) if line.strip()][-1:]
    words = " ".join(line.strip() for line in [*first[-1:], *rest] if line.strip())
    return (words[:600].rstrip(".") or "it printed nothing") if words else "it printed nothing"


def exec_refusal(text: str) -> str:
    """Return what the Engine missed when it could not start a program: C(directory), C(program), or nothing."""
    if "chdir to cwd" in text:
        return "directory"
    missing = ("executable file not found", "no such file or directory", "permission denied")
    return "program" if any(one in text for one in missing) else ""
