# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from what a build printed why it failed. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import re

from ansible_collections.juno.deploy.plugins.module_utils._django import output as django_output

_STEP_ERROR = re.compile("ERROR|[Ee]rror")
#: A line that a step printed: the step, the text.
_STEP_LINE = re.compile(r"#([0-9]+) [0-9]+\.[0-9]+ (.*)")
#: So many of them are shown of the step that failed.
STEP_LINES = 15


def cause(output: str) -> str:
    """Return the last error that a command of the build printed: BuildKit's own last line names the step only."""
    lines = [match[2] for match in map(_STEP_LINE.match, output.splitlines()) if match]
    found = [one for one in lines if _STEP_ERROR.search(one) or django_output.EXCEPTION.match(one)]
    return found[-1].rstrip(".") if found else ""


def failed_step(output: str) -> str:
    """Return the last lines of the step that failed a build: BuildKit shows them again at the end, between rules."""
    blocks = re.split(r"^-{4,}$", output, flags=re.MULTILINE)
    shown = [block.strip() for block in blocks if block.lstrip().startswith("> ")]
    steps: dict[str, list[str]] = {}
    for match in map(_STEP_LINE.match, output.splitlines()):
        if match:
            steps.setdefault(match[1], []).append(match[2])
    failed = re.findall(r"^#([0-9]+) ERROR", output, re.MULTILINE)
    lines = shown[-1].splitlines() if shown else []
    if failed and len(steps.get(failed[-1], [])) > len(lines) - 1:
        lines = [*lines[:1], *steps[failed[-1]]]
    return "\n".join([*lines[:1], *lines[1:][-STEP_LINES:]])
