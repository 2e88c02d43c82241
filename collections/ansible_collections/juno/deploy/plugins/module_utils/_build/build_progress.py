# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from what a build prints which of its steps are at work. Private to juno.deploy: no stable interface.

BuildKit's plain output names a step as it begins, once more when it goes on with it after another one, and its end by
the same number; the builder of before BuildKit numbers the instructions of the Dockerfile.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import events

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: C(#12 [web 4/9] RUN pip install), C(#14 exporting to image).
_BEGUN = re.compile(r"#(?P<number>\d+) (?P<step>\[.+|exporting to .+)")
_ENDED = re.compile(r"#(?P<number>\d+) (?:CACHED|DONE|ERROR|CANCELED)\b")
#: C(Step 4/9 : RUN pip install), and what follows it at once where nothing is done.
_LEGACY = re.compile(r"Step (?P<number>\d+)/\d+ : .+")
_LEGACY_CACHED = " ---> Using cache"
#: Of what BuildKit does for itself only this may take a while.
_INTERNAL = re.compile(r"\[(?:[^\]]* )?internal\] (?!load metadata|load build context)|\[auth\]")
#: What says nothing to a person.
_NOISE = re.compile(r"(?<= )--(?:mount|network|security)=\S+ |@sha256:[0-9a-f]{64}")


def begun(lines: Sequence[str]) -> list[str]:
    """Name the steps that have begun or go on in some lines of a build's output, and have not ended in them."""
    ended = {match["number"] for match in map(_ENDED.match, lines) if match}
    found = []
    for line, after in zip(lines, [*lines[1:], ""]):  # noqa: B905 - strict came with Python 3.10
        step, legacy = _BEGUN.match(line), _LEGACY.match(line)
        if step and step["number"] not in ended and not _INTERNAL.match(step["step"]):
            found.append(_NOISE.sub("", step["step"]))
        elif legacy and after != _LEGACY_CACHED:
            found.append(_NOISE.sub("", line))
    return found


def tell(lines: Sequence[str]) -> None:
    """Tell them."""
    for one in begun(lines):
        events.tell(one)
