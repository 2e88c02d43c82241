# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What collectstatic did: its summary, the manifest, the files. Private to juno.deploy: no stable interface.

Facts behind it: the summary's figures can't tell a no-op run (files are post-processed in each, and one that is touched
is copied); the manifest's hash can. A substring search for "0 static files" takes 10 copied files for none.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _guest_manage, _guest_static
from ansible_collections.juno.deploy.plugins.module_utils._django import Guest, Place, run_guest
from ansible_collections.juno.deploy.plugins.module_utils._errors import CommandError

#: Django 2.1 to 6.1; from 6.0 on with the deleted and the conflicting ones.
_SUMMARY = re.compile(
    r"(?:(?P<deleted>[0-9]+) static files? deleted, )?"
    r"(?P<copied>[0-9]+) static files? (?:copied|symlinked)(?: to '.*')?"
    r"(?:, (?P<unmodified>[0-9]+) unmodified)?"
    r"(?:, (?P<post_processed>[0-9]+) post-processed)?"
    r"(?:, (?P<conflicts>[0-9]+) skipped due to conflict)?"
    r"\."
)
_DELETING = re.compile(r"(?:Deleting|Pretending to delete) '.*'")
_CONFLICT = re.compile(r"Found another file with the destination path '.*'\. .*")
_PRETENDED = re.compile(r"Pretending to (?P<what>copy|link|delete) '(?P<path>.*)'")


@dataclasses.dataclass(frozen=True)
class Counts:
    """The figures of collectstatic's summary."""

    # Not "skipped", as Django says: a result with that name reads to Ansible as a task that was skipped.

    copied: int = 0
    unmodified: int = 0
    post_processed: int = 0
    deleted: int = 0
    conflicts: int = 0


def build_arguments(params: dict[str, t.Any], *, dry_run: bool) -> list[str]:
    """Give the arguments of manage.py."""
    argv = ["collectstatic", "--noinput", "--verbosity=1"]
    argv += ["--dry-run"] if dry_run else []
    argv += ["--clear"] if params["clear"] else []
    argv += ["--link"] if params["link"] else []
    argv += [f"--ignore={pattern}" for pattern in params["ignore"]]
    argv += [f"--settings={params['settings']}"] if params["settings"] else []
    return argv


def parse_counts(stdout: str) -> Counts | None:
    """Read the figures that collectstatic prints with verbosity 1; None when there is no summary.

    Before 6.0 the summary lacks the deleted and the conflicting ones, but each has a line of its own.
    """
    lines = [line.strip() for line in stdout.splitlines()]
    found = [match for match in map(_SUMMARY.fullmatch, lines) if match]
    if not found:
        return None
    figures = {name: int(value) for name, value in found[-1].groupdict().items() if value is not None}
    figures.setdefault("deleted", sum(1 for line in lines if _DELETING.fullmatch(line)))
    figures.setdefault("conflicts", sum(1 for line in lines if _CONFLICT.fullmatch(line)))
    return Counts(**figures)


def is_changed(counts: Counts, told: dict[str, t.Any], *, dry_run: bool) -> bool:
    """Say whether the collected files differ from those before (for a dry run: whether Django would write any)."""
    touched = counts.copied > 0 or counts.deleted > 0
    if not told["has_manifest"]:
        return touched
    if dry_run:
        return touched or told["manifest_hash_before"] is None
    moved = told["added"] > 0 or told["removed"] > 0
    return moved or bool(told["manifest_hash_before"] != told["manifest_hash_after"])


def diff(told: dict[str, t.Any], stdout: str, *, dry_run: bool) -> dict[str, str]:
    """Give what changed as Ansible's diff: manifest entries, or for a dry run what Django would write."""
    header = f"{told['static_root'] or told['storage']}"
    if dry_run:
        would = [f"{one['what']} {one['path']}\n" for one in map(_PRETENDED.fullmatch, stdout.splitlines()) if one]
        return {"before_header": header, "after_header": header, "before": "", "after": "".join(would)}
    before = "".join(f"{name} -> {old}\n" for name, old, _new in told["entries"] if old)
    after = "".join(f"{name} -> {new}\n" for name, _old, new in told["entries"] if new)
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def collect(place: Place, params: dict[str, t.Any], *, dry_run: bool, with_diff: bool) -> dict[str, t.Any]:
    """Run collectstatic at a place and give the module's result.

    :raises CommandError: Django failed; its output is in the details.
    """
    arguments = build_arguments(params, dry_run=dry_run)
    modules = (_guest_manage, _guest_static)
    guest = run_guest(place, modules, params, timeout_seconds=params["timeout_seconds"], arguments=arguments)
    guest.require(f"collectstatic failed in {place.name}: {{cause}}.")
    counts, told = parse_counts(guest.stdout), guest.told.get("static")
    if counts is None or told is None:
        raise _unread(guest)
    changed = is_changed(counts, told, dry_run=dry_run)
    result = {
        "changed": changed,
        "actions": [{"what": "collectstatic", "id": told["static_root"] or told["storage"], "status": "done"}],
        **dataclasses.asdict(counts),
        **{name: value for name, value in told.items() if name not in ("entries", "has_manifest")},
        "cmd": guest.cmd,
        "rc": guest.rc,
        "stdout": guest.stdout,
        "stderr": guest.stderr,
    }
    if dry_run:
        result["actions"][0]["status"] = "would_run"
    return {**result, "diff": diff(told, guest.stdout, dry_run=dry_run)} if with_diff else result


def _unread(guest: Guest) -> CommandError:
    return CommandError(
        f"collectstatic ended without an error in {guest.place.name}, but printed no summary that Django prints: see "
        "stdout, and whether the app replaces the command.",
        cmd=guest.cmd,
        rc=guest.rc,
        stdout=guest.stdout,
        stderr=guest.stderr,
    )
