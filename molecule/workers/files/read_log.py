# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up the tasks' log from standard input, as JSON: what began and ended, and the schedulers in their order."""

from __future__ import annotations

import itertools
import json
import sys


def main() -> None:
    """Read and tell."""
    rows = [line.split() for line in sys.stdin if line.strip()]
    result = {
        "began": [row[3] for row in rows if row[2] == "begin"],
        "ended": [row[3] for row in rows if row[2] == "end"],
        "where": {row[3]: row[1] for row in rows if row[2] == "end"},
        # Two at a time would take turns.
        "schedulers": [name for name, _run in itertools.groupby(row[1] for row in rows if row[2] == "sent")],
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
