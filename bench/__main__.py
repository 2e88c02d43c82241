# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all measurements and keep their figures in bench/results."""

from __future__ import annotations

import subprocess
import sys


def main() -> int:
    """Run each, whatever the others do; fail if one failed."""
    worst = 0
    for name in ("pycache", "playbooks"):
        print(f"== {name}", flush=True)
        argv = [sys.executable, "-m", f"bench.{name}", "--json", f"bench/results/{name}.json"]
        worst = max(worst, subprocess.run(argv, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
