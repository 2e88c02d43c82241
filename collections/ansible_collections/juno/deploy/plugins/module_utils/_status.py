# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what serves is what the journal says: from data to data. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils import _git, _journal
from ansible_collections.juno.deploy.plugins.module_utils._table import columns

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._docker import Container

REASON_CHARACTERS = 160
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
NO_RELEASE = "No release of this app is recorded on this host yet"


@dataclasses.dataclass(frozen=True)
class Checkout:
    """The app's git checkout as it lies there."""

    commit: str
    subject: str
    dirty: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was found on the host."""

    path: str
    #: The services that run the app's code, the one with the site first.
    services: tuple[str, ...]
    entries: list[_journal.Entry]
    #: The project's containers, stopped ones too; nothing when the Engine could not be asked.
    containers: list[Container] | None
    #: Names of images by their id.
    tags: dict[str, tuple[str, ...]]
    #: Nothing when it could not be read.
    checkout: Checkout | None
    #: What could not be looked at, each a sentence.
    problems: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Served:
    """The release that a container runs, as far as that can be told."""

    #: 0 when no release recorded this image.
    number: int
    commit: str
    #: The image by its most telling name.
    image: str

    def words(self) -> str:
        """Say it in a few words."""
        commit = self.commit[:12] or "commit unknown"
        return f"release {self.number}, {commit}" if self.number else f"no recorded release, {commit}"


def seconds_of(when: str) -> float | None:
    """Read a time as the journal has it; nothing when it is none."""
    try:
        parsed = datetime.datetime.strptime(when, TIME_FORMAT)
    except (TypeError, ValueError):
        return None
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


def took(entry: _journal.Entry) -> str:
    """Give the whole seconds from the start of a release to its end; nothing when it has no end."""
    began, ended = seconds_of(entry.get("started", "")), seconds_of(entry.get("ended", ""))
    return "" if began is None or ended is None else f"{ended - began:.0f}"


def shortened(text: str, characters: int) -> str:
    """Give a text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 3].rstrip() + "..."


def _is_of(one: Container, tagged: t.Collection[str], entry: _journal.Entry) -> bool:
    """Say whether a container, whose image is named after the commits in C(tagged), is of a release."""
    recorded = (entry.get("images") or {}).get(one.service) == one.image_id
    if entry.get("outcome") == "done":
        return recorded
    # What ran when a release failed may be older than it, and one that was cut off wrote nothing down.
    began = seconds_of(entry.get("started", ""))
    return began is not None and one.created >= began and (recorded or entry.get("commit", "")[:12] in tagged)


def served(one: Container, seen: Seen) -> Served:
    """Find the release and the commit that a container runs: by the journal, else by the name of its image."""
    names = seen.tags.get(one.image_id, ())
    tagged = {name.rpartition(":juno-")[2]: name for name in names if ":juno-" in name}
    entry = next((entry for entry in reversed(seen.entries) if _is_of(one, tagged, entry)), None)
    commit = entry["commit"] if entry else next(iter(tagged), "")
    image = tagged.get(commit[:12]) or next(iter((*tagged.values(), *names)), one.image_id.partition(":")[2][:12])
    return Served(entry["number"] if entry else 0, commit, image)


def deploy_words(entry: _journal.Entry) -> str:
    """Name a deploy: its number, who, and since when."""
    return f"release {entry['number']}, by {entry.get('who') or 'unknown'}, started {entry.get('started', 'unknown')}"


def _about_journal(seen: Seen) -> list[str]:
    if not seen.entries:
        return [f"{NO_RELEASE}: deploy it."]
    newest = seen.entries[-1]
    outcome = newest.get("outcome")
    if outcome == "done":
        return []
    named = f"The last deploy ({deploy_words(newest)})"
    if outcome == "started":
        return [f"{named} never said how it ended: wait if it is still at work, else deploy again."]
    figures = newest.get("figures") or {}
    task = f" at '{figures['task']}'" if figures.get("task") else ""
    reason = shortened(figures.get("reason") or "no reason was recorded", REASON_CHARACTERS)
    return [f"{named} {outcome}{task} ({reason.rstrip('.')}): correct the cause and deploy again."]


def _about_service(seen: Seen, service: str, mine: list[Container]) -> list[str]:
    running = [one for one in mine if one.state == "running"]
    others = [one for one in mine if one.state != "running"]
    if not running:
        there = ", ".join(f"{one.name}: {one.status or one.state}" for one in others) or "none is there"
        return [f"No container of '{service}' runs ({there}): see playbooks/logs.yml for why, then deploy again."]
    found = [
        f"The container {one.name} of '{service}' does not run ({one.status or one.state}), others do: "
        "see playbooks/logs.yml for why, then deploy again."
        for one in others
    ]
    found += [
        f"The container {one.name} of '{service}' runs, but its health check fails: see playbooks/logs.yml for why."
        for one in running
        if "(unhealthy)" in one.status
    ]
    newest = _journal.serving(seen.entries)
    if newest:
        image = (newest.get("images") or {}).get(service)
        found += [_other_image(one, seen, newest, recorded=bool(image)) for one in running if one.image_id != image]
    return found


def _other_image(one: Container, seen: Seen, newest: _journal.Entry, *, recorded: bool) -> str:
    runs = served(one, seen)
    but = "recorded another image" if recorded else f"recorded none for '{one.service}'"
    return (
        f"The container {one.name} runs {runs.image} ({runs.words()}), but release {newest['number']} {but}: "
        "deploy again."
    )


def _about_checkout(seen: Seen) -> list[str]:
    at = seen.checkout
    if at is None:
        return []
    found = []
    newest = seen.entries[-1] if seen.entries else {}
    expected = [newest.get("commit")]
    if newest.get("outcome") != "done":
        # It may have ended before the checkout was moved.
        expected.append((_journal.last_done(seen.entries) or {}).get("commit"))
    if newest and at.commit not in expected:
        found.append(
            f"The checkout {seen.path} is at {at.commit[:12]}, but release {newest['number']} deployed "
            f"{newest.get('commit', '')[:12]}: somebody moved it by hand; deploy again."
        )
    if at.dirty:
        found.append(
            f"The checkout {seen.path} has files changed by hand ({_git.some(list(at.dirty))}), and a deploy will stop "
            "at them: commit and push them, or set them back with git restore."
        )
    return found


def judge(seen: Seen) -> list[str]:
    """Name each thing that is not as the journal says, with what to do; nothing when all agree."""
    found = [*seen.problems, *_about_journal(seen)]
    if seen.containers is not None:
        for service in seen.services:
            found += _about_service(seen, service, [one for one in seen.containers if one.service == service])
    return found + _about_checkout(seen)


def _release_words(seen: Seen) -> str:
    if not seen.entries:
        return NO_RELEASE
    newest = seen.entries[-1]
    words = [f"{newest['number']} {newest.get('outcome')}", newest.get("commit", "")[:12]]
    words += [f"by {newest.get('who') or 'unknown'}", f"started {newest.get('started', 'unknown')}"]
    words += [f"took {took(newest)} s"] if took(newest) else []
    return ", ".join(words)


def summary(seen: Seen, findings: list[str]) -> list[str]:
    """Give the status as lines for a person."""
    if findings:
        lines = ["Not as it should be:", *(f"- {one}" for one in findings)]
    else:
        lines = [f"All agree: release {seen.entries[-1]['number']} serves"]
    at = seen.checkout
    lines.append(f"Release:  {_release_words(seen)}")
    lines.append(f"Checkout: {at.commit[:12]} {at.subject}" if at else "Checkout: can't be read")
    if seen.containers is None:
        return [*lines, "Serving:  unknown, the Engine could not be asked"]
    mine = [one for one in seen.containers if one.service in seen.services]
    rows = [(one.name, one.status or one.state, *_what_it_runs(one, seen)) for one in mine]
    rows += [(one.name, one.status or one.state, *_foreign(one, seen)) for one in seen.containers if one not in mine]
    table = columns(rows, left=range(4)) or ["no container"]
    return [*lines, *(("          " if index else "Serving:  ") + line for index, line in enumerate(table))]


def _what_it_runs(one: Container, seen: Seen) -> tuple[str, str]:
    runs = served(one, seen)
    return runs.image, runs.words()


def _foreign(one: Container, seen: Seen) -> tuple[str, str]:
    return next(iter(seen.tags.get(one.image_id, ())), one.image_id.partition(":")[2][:12]), ""
