# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What collectstatic did: its summary, the manifest, the files. Private to juno.deploy: no stable interface.

Facts behind it: the summary's figures can't tell a no-op run (files are post-processed in each, and one that is touched
is copied); the manifest's hash can. A substring search for "0 static files" takes 10 copied files for none. Of a staged
run, for which everything is new to Django, our own in-app code says what it was in the static root.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import InAppResult, Place, run_in_app
from ansible_collections.juno.deploy.plugins.module_utils._in_app import (
    manage,
    static,
    static_collect,
    static_compressed,
    static_files,
    static_fingerprint,
    static_incremental,
    static_known,
    static_main,
    static_memory,
    static_prune,
    static_references,
    static_remote,
    static_stage,
)

#: The in-app modules that collect, each before those that import it.
COLLECTORS = (
    static,
    static_files,
    static_stage,
    static_memory,
    static_fingerprint,
    static_prune,
    static_compressed,
    static_known,
    static_references,
    static_incremental,
    static_remote,
    static_collect,
)
IN_APP_MODULES = (manage, *COLLECTORS, static_main)
#: The module's options that the in-app code gets.
OPTIONS = ("staging", "force", "clear", "link", "ignore", "prune", "keep_releases", "html_max_age")
#: What the in-app code answers that is not for the result.
INNER = ("entries", "has_manifest", "staged_in", "names", "prune_why", "memory_why")
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


#: Replaced files that cached pages are looked through for; where there are more, all pages go.
MOST_REPLACED = 500


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
    """Return the arguments of manage.py."""
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


def is_changed(counts: Counts, facts: dict[str, t.Any], *, dry_run: bool) -> bool:
    """Return whether the collected files differ from those before (for Django's dry run: whether it would write)."""
    if facts.get("pruned_count"):
        return True
    moved = facts["added"] > 0 or facts["removed"] > 0
    if facts.get("staged"):
        return moved or facts["replaced"] > 0 or bool(facts["manifest_hash_before"] != facts["manifest_hash_after"])
    touched = counts.copied > 0 or counts.deleted > 0
    if not facts["has_manifest"]:
        return touched
    if dry_run:
        return touched or facts["manifest_hash_before"] is None
    return moved or bool(facts["manifest_hash_before"] != facts["manifest_hash_after"])


def diff(facts: dict[str, t.Any], stdout: str, *, dry_run: bool) -> dict[str, str]:
    """Return what changed as Ansible's diff: manifest entries and files, or what Django would write in its dry run."""
    header = f"{facts['static_root'] or facts['storage']}"
    if dry_run and not facts.get("staged"):
        would = [f"{one['what']} {one['path']}\n" for one in map(_PRETENDED.fullmatch, stdout.splitlines()) if one]
        return {"before_header": header, "after_header": header, "before": "", "after": "".join(would)}
    names = facts.get("names", {})
    before = [f"{name} -> {old}\n" for name, old, _new in facts["entries"] if old]
    before += [f"removed {name}\n" for name in names.get("removed", [])]
    before += [f"pruned {one['path']} ({one['bytes']} bytes)\n" for one in facts.get("pruned", [])]
    after = [f"{name} -> {new}\n" for name, _old, new in facts["entries"] if new]
    after += [f"{what} {name}\n" for what in ("new", "replaced") for name in names.get(what, [])]
    return {"before_header": header, "after_header": header, "before": "".join(before), "after": "".join(after)}


def made_elsewhere(params: dict[str, t.Any]) -> int | None:
    """Return when the oldest of the service's other containers was made, which share the static root; None without any.

    :raises JunoError: no container of the service runs, or the Engine can't be asked.
    """
    if not params["project"]:
        return None
    running = engine.find_running(engine.connect(params["docker_host"]), params["project"], params["service"])
    return min((one.created for one in running[1:]), default=None)


def collect(
    place: Place, params: dict[str, t.Any], *, dry_run: bool, with_diff: bool, started: int | None = None
) -> dict[str, t.Any]:
    """Run collectstatic at a place and give the module's result.

    :param started: when the oldest process elsewhere started that may serve the files, in seconds since the epoch.
    :raises CommandError: Django failed; its output is in the details.
    """
    events.tell(f"collects the static files in {place.name}")
    answer = run_in_app(
        place,
        IN_APP_MODULES,
        params,
        timeout_seconds=params["timeout_seconds"],
        arguments=build_arguments(params, dry_run=dry_run),
        static={
            **{name: params[name] for name in OPTIONS},
            "dry": dry_run,
            "names": with_diff,
            "in_container": place.in_container,
            "started": started,
        },
    )
    answer.require(f"collectstatic failed in {place.name}: {{cause}}.")
    return _result(answer, params, dry_run=dry_run, with_diff=with_diff)


def _result(answer: InAppResult, params: dict[str, t.Any], *, dry_run: bool, with_diff: bool) -> dict[str, t.Any]:
    """Return the module's result of a run that went well.

    :raises CommandError: it printed no summary.
    """
    facts = answer.results.get("static")
    counts = parse_counts(answer.stdout)
    if facts is None or (counts is None and not facts["staged"]):
        raise _unread(answer)
    figures = dataclasses.asdict(counts or Counts())
    if facts["staged"]:
        figures["deleted"] = facts["removed"] if params["clear"] else 0
    stdout, stderr = (_unstaged(text, facts) for text in (answer.stdout, answer.stderr))
    result = {
        "changed": is_changed(counts or Counts(), facts, dry_run=dry_run),
        "actions": _actions(facts, dry_run=dry_run),
        **figures,
        **{name: value for name, value in facts.items() if name not in INNER},
        "replaced_names": replaced(facts["entries"]) if facts["has_manifest"] else [],
        "cmd": answer.cmd,
        "rc": answer.rc,
        "stdout": stdout,
        "stderr": stderr,
    }
    if words := [facts[name] for name in ("prune_why", "memory_why") if facts[name]]:
        result["warnings"] = words
    return {**result, "diff": diff(facts, stdout, dry_run=dry_run)} if with_diff else result


def replaced(entries: list[list[t.Any]]) -> list[str] | None:
    """Name the files that pages made before may name and new ones don't; nothing when they are too many to look for."""
    names = sorted({old for _name, old, new in entries if old and old != new})
    return names if len(names) <= MOST_REPLACED else None


def _unstaged(text: str, facts: dict[str, t.Any]) -> str:
    """Name the root where Django, which knew no better, named the staging folder."""
    return text.replace(facts["staged_in"], facts["static_root"]) if facts.get("staged_in") else text


def _actions(facts: dict[str, t.Any], *, dry_run: bool) -> list[dict[str, str]]:
    """Return what was done: nothing is collected where the fingerprint is the same."""
    done = [] if facts["fingerprint"] == "same" else ["collectstatic"]
    done += ["prune"] if facts["pruned_count"] else []
    status = "would_run" if dry_run else "done"
    return [{"what": what, "id": facts["static_root"] or facts["storage"], "status": status} for what in done]


def _unread(answer: InAppResult) -> CommandError:
    return CommandError(
        f"collectstatic ended without an error in {answer.place.name}, but printed no summary that Django prints: see "
        "stdout, and whether the app replaces the command.",
        cmd=answer.cmd,
        rc=answer.rc,
        stdout=answer.stdout,
        stderr=answer.stderr,
    )
