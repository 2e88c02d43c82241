# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status as lines for a person. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.table import columns
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock
from ansible_collections.juno.deploy.plugins.module_utils._status import image_name, release_words, status

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
    from ansible_collections.juno.deploy.plugins.module_utils._status.status import Seen


def summary(seen: Seen, findings: list[str]) -> list[str]:
    """Return the status, most important first."""
    lines = [*_headline(seen, findings), f"Release:  {_release(seen)}", *_last_try(seen)]
    at = seen.checkout
    lines.append(f"Checkout: {at.commit[:12]} {at.subject}" if at else "Checkout: can't be read")
    if seen.containers is None:
        return [*lines, "Serving:  unknown, the Engine could not be asked"]
    if seen.proxy.maintenance and seen.proxies:
        lines.append("Visitors: get the maintenance page (503), until juno.deploy.maintenance -e maintenance=off")
    mine = [one for one in seen.containers if one.service in seen.services]
    rows = [(one.name, one.status or one.state, *_what_it_runs(one, seen)) for one in mine]
    rows += [(one.name, one.status or one.state, *_foreign(one, seen)) for one in seen.containers if one not in mine]
    table = columns(rows, left=range(4)) or ["no container"]
    return [*lines, *(("          " if index else "Serving:  ") + line for index, line in enumerate(table))]


def _headline(seen: Seen, findings: list[str]) -> list[str]:
    if seen.at_work:
        return [at_work(seen), *(f"- {one}" for one in findings)]
    if findings:
        return ["Not as it should be:", *(f"- {one}" for one in findings)]
    return [f"All agree: release {(journal.serving(seen.entries) or journal.NO_RELEASE).number} serves"]


def at_work(seen: Seen) -> str:
    """Return who is at work on the app, from where, since when, and what is being done just now."""
    holder, entry = seen.deployer, journal.interrupted(seen.entries)
    if not holder.get("id"):
        return "At work: a deploy of an earlier version of juno.deploy, or something else that holds the lock"
    origin = f" (from {holder['address']})" if holder.get("address") else ""
    what = lock.PURPOSES.get(holder["purpose"], "A deploy")
    of = f" of release {entry.number}" if entry else ""
    doing = _doing(holder.get("standing") or {}, of)
    return f"At work: {what[0].lower()}{what[1:]} by {holder['who']}{origin} since {holder['since']}, {doing}"


def _doing(standing: dict[str, t.Any], of: str) -> str:
    """Return what the deployer does just now."""
    if not standing:
        return "whose deployer was killed: the next deploy ends what it left running"
    name, seconds = standing["step"], round(standing["seconds"])
    if not name:
        left = max(
            0, round(standing["next_step_timeout_seconds"] - min(standing["seconds"], standing["silent_seconds"]))
        )
        return f"waits for its controller since {seconds} s; without it, the release is undone or finished in {left} s"
    now = f"now undoing{of[3:]}" if name in ("undo", "recover") else f"now at the step '{name}'{of}"
    now += f", {seconds} s" + (f" of ~{standing['usual']:.0f} s" if standing["usual"] else "")
    now += f" ({standing['event']})" if standing["event"] else ""
    return now + (f", without its controller ({standing['cancel_reason']})" if standing["cancel_reason"] else "")


def _release(seen: Seen) -> str:
    """Tell of the release that serves, or else of the newest."""
    if not seen.entries:
        return release_words.NO_RELEASE
    newest = seen.entries[-1]
    earlier = seen.entries[:-1] if seen.at_work and newest.outcome == "started" else seen.entries
    entry = journal.serving(earlier) or newest
    outcome = "interrupted" if entry is seen.interrupted else entry.outcome
    words = [f"{entry.number} {outcome}", entry.commit[:12], release_words.how(entry)]
    words += [f"by {entry.who or 'unknown'}", f"started {entry.started or 'unknown'}"]
    words += [f"took {release_words.took(entry)} s"] if release_words.took(entry) else []
    words += [f"cache version {entry.cache_version}"] if entry.cache_version else []
    return ", ".join(words)


def _last_try(seen: Seen) -> list[str]:
    """Tell of the newest release when it failed, and what was before it serves as if it had not been."""
    newest = seen.entries[-1] if seen.entries else journal.NO_RELEASE
    if not newest.undone or not journal.serving(seen.entries):
        return []
    named = f"The last {newest.purpose} ({release_words.deploy_words(newest)})"
    lines = [f"{named} {release_words.why_failed(newest)} and was undone"]
    if newest.standing:
        copies = [one["path"] for one in newest.backups if one.get("path")]
        copied = f" (a copy from before is {copies[0]})" if copies else ""
        lines.append(f"Its migrations stand, which lost data or are irreversible: {', '.join(newest.standing)}{copied}")
    return [*lines, *(f"And {one}" for one in newest.problems)]


def _what_it_runs(one: Container, seen: Seen) -> tuple[str, str]:
    runs = status.served(one, seen)
    at_work = journal.interrupted(seen.entries) if seen.at_work else None
    kept = at_work and one.state == "exited" and at_work.before and one.id in at_work.before.containers
    return runs.image, runs.words() + (", kept until the new one is verified" if kept else "")


def _foreign(one: Container, seen: Seen) -> tuple[str, str]:
    about = "of no service any more" if one in seen.left_over else ""
    image = image_name.of(one, seen.tags.get(one.image_id, ()))
    return image, "the proxy" if one.service == names.SERVICE else about
