# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all measurements and keep their figures in bench/results, or one: python -m bench NAME [ITS OPTIONS]."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("pycache", "memcached", "playbooks", "side_by_side", "kinds", "heavy", "share", "static", "plan")
#: Only when named: it needs another checkout.
COMPARED = ("versions",)


def main(words: list[str]) -> int:
    """Run each, whatever the others do; fail if one failed."""
    names, options = (words[:1], words[1:]) if words else (NAMES, [])
    if unknown := set(names) - {*NAMES, *COMPARED}:
        print(
            f"There is no measurement '{unknown.pop()}': give one of {', '.join((*NAMES, *COMPARED))}, or none for all."
        )
        return 2
    worst = 0
    for name in names:
        print(f"== {name}", flush=True)
        argv = [sys.executable, "-m", f"bench.{name}", "--json", f"bench/results/{name}.json", *options]
        worst = max(worst, subprocess.run(argv, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
