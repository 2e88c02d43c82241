# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files that changed need of a deploy: from data to data. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._rules import dockerfile, file_kinds
from ansible_collections.juno.deploy.plugins.module_utils._rules import rules as rules_rules

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MIGRATION = re.compile(r"(?:.*/)?([^/]+)/migrations/([^/]+)\.py\Z")
#: How a migration or a static file of each status is told.
_SIGNS = {"A": "+", "D": "-", "M": "~", "T": "~"}


class Seen(t.NamedTuple):
    """How the app's containers see a file of the repository."""

    #: One has it mounted, so that it needs no new image.
    by_mount: bool
    #: One has it from its image alone.
    by_image: bool


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What besides its path decides what a file is for."""

    sees: Callable[[str], Seen]
    #: What the image's own Dockerfile names of the build context.
    copied: tuple[str, ...] = ()
    #: The app has a command that builds its front-end in the checkout.
    own_frontend: bool = False
    #: Symbolic links within the repository; nothing: too many to follow.
    links: dict[str, str] | None = dataclasses.field(default_factory=dict)
    #: Files that are mounted as such, each by itself.
    mounted_files: frozenset[str] = frozenset()
    #: Other services that have files of the checkout mounted: path from its top, and the service.
    mounted_elsewhere: tuple[tuple[str, str], ...] = ()
    #: Those of them that a deploy tells to read their folders again.
    reloaded: frozenset[str] = frozenset()
    #: The app's own compose files and Dockerfile, whatever they are called.
    made_from: frozenset[str] = frozenset()


@dataclasses.dataclass
class Needs:
    """The steps that a change needs, each with the files behind it, and what these files are."""

    steps: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    kinds: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    migrations: list[str] = dataclasses.field(default_factory=list)
    static: list[str] = dataclasses.field(default_factory=list)
    notices: list[str] = dataclasses.field(default_factory=list)
    #: Files that a container which runs goes on seeing as they were: each is mounted by itself.
    held: list[str] = dataclasses.field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files changed."""
        return sum(len(files) for files in self.kinds.values())


def sort_out(changes: Sequence[diff.Change], rules: rules_rules.Rules, around: Surroundings) -> Needs:
    """Return what each changed file is, and what all of them need."""
    needs = Needs()
    notices: dict[str, None] = {}
    for change in changes:
        verdict = _verdict(change, rules, around)
        needs.kinds.setdefault(verdict.kind, []).append(change.path)
        for step in _steps(verdict, change.path, around):
            needs.steps.setdefault(step, []).append(change.path)
        _note(needs, change, verdict.kind)
        if change.path in around.mounted_files:
            needs.held.append(change.path)
        for place, service in around.mounted_elsewhere:
            if compose_mounts.inside(change.path, place):
                notices[_elsewhere(change.path, place, service, around)] = None
    needs.notices = list(notices)
    if "clear" in needs.steps:
        # What clears everything clears these pages too.
        needs.steps.pop("clear_naming", None)
    needs.steps = {step: needs.steps[step] for step in file_kinds.STEPS if step in needs.steps}
    return needs


def _elsewhere(path: str, place: str, service: str, around: Surroundings) -> str:
    """Return what becomes of a changed file that another service has mounted."""
    if service in around.reloaded and path != place:
        return f"'{service}' checks {path}, and reads it without loss once the new release serves"
    return (
        f"{path} is mounted into '{service}', which a deploy does not restart: 'update_services: [{service}]' "
        "replaces it"
    )


def _verdict(change: diff.Change, rules: rules_rules.Rules, around: Surroundings) -> rules_rules.Verdict:
    if change.submodule:
        return rules_rules.Verdict("submodule", file_kinds.KINDS[file_kinds.UNKNOWN])
    found = rules.verdict(change.path)
    if around.links is None:
        return found if found.steps else rules.verdict("")
    for other in diff.aliases(change.path, around.links) if around.links else ():
        also = rules.verdict(other)
        if not set(also.steps) <= set(found.steps):
            found = rules_rules.Verdict(
                f"{found.kind}, and {also.kind} by a symbolic link", (*found.steps, *also.steps)
            )
    if diff.SYMLINK in change.modes and not found.steps and found.kind not in ("documentation", "test"):
        return rules.verdict("")  # it may lead anywhere
    return found


def _steps(verdict: rules_rules.Verdict, path: str, around: Surroundings) -> tuple[str, ...]:
    steps = tuple(dict.fromkeys(verdict.steps))
    if not steps:
        return ()
    seen = around.sees(path)
    # What an image or its containers are made from may be kept out of it by .dockerignore.
    if not seen.by_mount and not seen.by_image and verdict.kind != "image" and path not in around.made_from:
        return ()
    if seen.by_image or not seen.by_mount:
        # What is made of sources is made with the image.
        return ("build", *(step for step in steps if step not in ("build", "frontend", "translate")))
    if "frontend" in steps and not around.own_frontend:
        steps = ("build", *(step for step in steps if step != "frontend"))
    if "build" not in steps and dockerfile.names(around.copied, path):
        steps = ("build", *steps)
    return steps


def _note(needs: Needs, change: diff.Change, kind: str) -> None:
    sign = _SIGNS.get(change.status, "~")
    found = _MIGRATION.match(change.path)
    if found and kind == "migration" and found[2] != "__init__":
        needs.migrations.append(f"{sign} {found[1]}.{found[2]}")
    elif kind == "static file":
        needs.static.append(f"{sign} {change.path}")


def safe(files: Sequence[str]) -> list[str]:
    """Return names in a form that keeps to its line."""
    return [name if name.isprintable() else repr(name) for name in files]


def some(files: Sequence[str], most: int = 3) -> str:
    """Name the first files, and how many more there are."""
    named = ", ".join(safe(files[:most]))
    return named + (f" and {len(files) - most} more" if len(files) > most else "")
