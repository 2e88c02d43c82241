# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytecode that a running app keeps apart from its sources, and compilation.

Private to juno.deploy: no stable interface.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine_exec
from ansible_collections.juno.deploy.plugins.module_utils._app.mounts import host_path, host_place, places
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.app import (
    Running,
    in_app_argv,
    parse_results,
)
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.header import REASONS
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.purge import Purged
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.roots import Root, printable
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.tally import Notes, Tally
from ansible_collections.juno.deploy.plugins.module_utils._in_app import bytecode, bytecode_compile

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._bytecode.entries import WalkRules
    from ansible_collections.juno.deploy.plugins.module_utils._django.runner import Answer

#: An app of 50,000 files is compiled in less.
SECONDS = 900.0


@dataclasses.dataclass
class Plan:
    """Where bytecode is that lies apart."""

    #: On this host: directories of bytecode, each with that of its sources.
    on_host: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    #: In the containers' own file systems: the directories of sources, as each container sees them.
    inside: list[tuple[Running, list[str]]] = dataclasses.field(default_factory=list)
    #: The same as notes for a module's result.
    notes: list[dict[str, str]] = dataclasses.field(default_factory=list)


def plan(paths: Sequence[str], running: Sequence[Running]) -> Plan:
    """Find where the app's Pythons keep the bytecode of these directories, if not beside the sources."""
    made = Plan()
    for one in running:
        if not one.prefix:
            continue
        inside = []
        for place in (place for path in paths for place in places(path, one.mounts)):
            kept = one.prefix.rstrip("/") + place.container
            source, found = host_place(kept, one.mounts) or ("", "")
            note = {"container": one.container.name, "prefix": one.prefix, "directory": kept}
            if not found:
                inside.append(place.container)
                made.notes.append({**note, "where": "container"})
                continue
            made.notes.append({**note, "where": "host", "path": found})
            # Nothing may have been compiled yet; and the container may have put a link there.
            if os.path.isdir(found) and _is_reached(source, found) and (found, place.host) not in made.on_host:
                made.on_host.append((found, place.host))
        if inside:
            made.inside.append((one, inside))
    return made


def _is_reached(source: str, found: str) -> bool:
    """Return whether a place is below what is mounted without a link between."""
    below = os.path.relpath(found, source)
    return os.path.realpath(found) == os.path.normpath(os.path.join(os.path.realpath(source), below))


def purge_inside(client: t.Any, made: Plan, rules: WalkRules) -> list[Purged]:
    """Purge what the containers keep to themselves.

    :raises JunoError: a container would not.
    """
    done: list[Purged] = []
    for running, directories in made.inside:
        spec = {
            "directories": directories,
            "exclude": sorted(rules.exclude),
            "mode": rules.mode,
            "remove": rules.remove,
            "most_paths": rules.most_paths,
        }
        result = _run_in_container(client, running, in_app_argv(running.program, bytecode, spec))
        done += [_purged(running, directory, figures) for directory, figures in result.get("purged", ())]
    return done


def _purged(running: Running, directory: str, figures: dict[str, t.Any]) -> Purged:
    name = f"{running.container.name}:{directory}"
    tally = Tally(**{key: figures[key] for key in ("files_removed", "directories_removed", "bytes_freed", "reasons")})
    tally.directories_seen = figures["directories_seen"]
    tally.paths = [
        printable(f"{running.container.name}:{path}") + (f" ({REASONS[reason]})" if reason else "")
        for path, reason in figures["paths"]
    ]
    failed = [{"path": printable(path), "reason": reason} for path, reason in figures["failed"]]
    tally.failed = Notes(figures["failed_count"], failed)
    return Purged(Root(name, name, -1, (0, 0)), tally, figures["duration_ms"])


def _run_in_container(client: t.Any, running: Running, argv: list[str]) -> t.Any:
    answer = engine_exec.exec_argv(
        client, running.container, argv, timeout_seconds=SECONDS, environment=running.environment, workdir="/"
    )
    return _read(answer, f"The Python in the container {running.container.name} failed at its bytecode")


def _read(answer: Answer, failure: str) -> t.Any:
    """Return what in-app code printed.

    :raises JunoError: it failed, in the words of C(failure).
    """
    result = parse_results(answer.stdout)
    if answer.rc or result is None:
        raise JunoError(
            f"{failure} ({answer.stderr.strip().rpartition(chr(10))[2] or f'code {answer.rc}'}): see stderr.",
            rc=answer.rc,
            stderr=answer.stderr,
        )
    return result


@dataclasses.dataclass
class Compiled:
    """What a compilation did."""

    done: int = 0
    failed: int = 0
    #: Directories that no container sees.
    unseen: list[str] = dataclasses.field(default_factory=list)

    def add(self, figures: list[int]) -> None:
        self.done += figures[0]
        self.failed += figures[1]


def _spec(directories: Sequence[str], rules: WalkRules) -> dict[str, t.Any]:
    return {"directories": list(directories), "exclude": sorted(rules.exclude), "virtualenvs": rules.virtualenvs}


def compile_on_host(paths: Sequence[str], rules: WalkRules) -> Compiled:
    """Compile for the Python that runs this.

    :raises JunoError: it failed as a whole; a source that can't be compiled is only counted.
    """
    argv = in_app_argv(sys.executable, bytecode_compile, _spec(paths, rules))
    answer = run_command(argv, cwd="/", timeout_seconds=SECONDS)
    compiled = Compiled()
    compiled.add(_read(answer, f"{sys.executable} failed to compile on this host"))
    return compiled


def compile_in(client: t.Any, running: Sequence[Running], paths: Sequence[str], rules: WalkRules) -> Compiled:
    """Compile in the app's containers, once for each Python and each place where bytecode is kept.

    :raises JunoError: a container would not.
    """
    compiled = Compiled()
    seen: set[tuple[t.Any, ...]] = set()
    for path in paths:
        anywhere = [(one, place) for one in running for place in places(path, one.mounts)]
        if not anywhere:
            compiled.unseen.append(path)
        for one, place in anywhere:
            kept = one.prefix.rstrip("/") + place.container if one.prefix else ""
            where = (host_path(kept, one.mounts) or one.container.id) if kept else place.host
            if (key := (one.python, where, place.host)) not in seen:
                seen.add(key)
                compiled.add(
                    _run_in_container(
                        client, one, in_app_argv(one.program, bytecode_compile, _spec([place.container], rules))
                    )
                )
    return compiled
