# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy and roll back by each controller, and end with a table: a row for each variant, seen or not.

python -m tools.matrix                  the oldest and the newest, and one that is refused
python -m tools.matrix --all            everything
python -m tools.matrix --only REGEX     those of everything whose name fits: '2.18/', 'docker', 'refused'
"""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import sys
import time
import types
import typing as t

from droplet.process import DropletError
from tools.matrix import controllers, report, sites, verification
from tools.matrix.plays import Player, VariantError
from tools.matrix.report import Row
from tools.matrix.variants import Variant, choose

LOGS = controllers.CACHE / "logs"


class Matrix:
    """Runs variants one after the other on droplets that they share."""

    def __init__(self) -> None:
        self._hosts: list[sites.Host] = []

    def see(self, variant: Variant) -> Row:
        """Run one variant."""
        began, version, failed = time.monotonic(), variant.core, ""
        log = LOGS / f"{re.sub('[^a-z0-9.]+', '-', variant.name)}.log"
        hosts = self._take(variant.settings.hosts)
        try:
            controller = controllers.make(variant)
            version = controller.version
            with log.open("w", encoding="utf-8") as out:
                player = Player(variant, controller, hosts, out)
                (verification.verify_refusal if variant.refused else verification.verify)(player)
        except (VariantError, DropletError) as exc:
            failed = str(exc)
            print(f"{log.read_text(encoding='utf-8')[-6000:] if log.exists() else ''}\nfatal: {failed}", flush=True)
        took = time.monotonic() - began
        if failed:
            # The next variant is not to be blamed for what this one left.
            for host in hosts:
                host.wipe()
        return Row(variant, version, "failed" if failed else "passed", took, failed)

    def _take(self, number: int) -> list[sites.Host]:
        """Return so many droplets; each is made when it is first needed."""
        while len(self._hosts) < number:
            host = sites.Host(len(self._hosts) + 1)
            self._hosts.append(host)
            host.up()
        return self._hosts[:number]

    def end(self) -> None:
        """Remove the droplets."""
        for host in self._hosts:
            host.down()


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="everything")
    parser.add_argument("--only", default="", metavar="REGEX", help="those of everything whose name fits")
    args = parser.parse_args()
    # Droplets are removed also where a test runner ends this.
    signal.signal(signal.SIGTERM, _leave)
    LOGS.mkdir(parents=True, exist_ok=True)
    choice = choose(controllers.pythons(), every=args.all, only=args.only)
    rows = [Row(one, one.core, "not seen", 0, f"there is no Python {one.python} here") for one in choice.missing]
    matrix = Matrix()
    try:
        controllers.install_ours()
        sites.begin()
        for number, variant in enumerate(choice.variants, 1):
            print(f"... {number} of {len(choice.variants)}: {variant.name}", flush=True)
            rows.append(matrix.see(variant))
            print(report.line(rows[-1]), flush=True)
    except DropletError as exc:
        print(f"Error: {exc}", file=sys.stderr)
    finally:
        with _unhindered():
            matrix.end()
            seen = {row.variant for row in rows}
            rows += [Row(one, one.core, "not run", 0, "") for one in choice.variants if one not in seen]
            print("\n".join(report.table(rows)), flush=True)
    # A Python that is absent is no failure, but to have seen nothing is one.
    return 0 if {"passed"} <= {row.result for row in rows} <= {"passed", "not seen"} else 1


def _leave(number: int, _frame: types.FrameType | None) -> t.NoReturn:
    sys.exit(128 + number)


@contextlib.contextmanager
def _unhindered() -> t.Iterator[None]:
    """Let what tidies up not be interrupted by a second signal."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
