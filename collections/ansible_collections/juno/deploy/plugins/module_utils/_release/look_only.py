# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a release, for check mode. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import json
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._release import step_process, steps
from ansible_collections.juno.deploy.plugins.module_utils._release.release import Release


def main() -> None:
    """Plan the release on standard input, and print what came of it."""
    given: dict[str, t.Any] = json.loads(sys.stdin.buffer.read())

    def work() -> dict[str, t.Any]:
        return steps.look_only(Release.from_input(given), diff=True)

    sys.stdout.write(json.dumps(step_process.outcome("begin", work)))
