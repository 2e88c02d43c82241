# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a play have to do with each other: whose failure it is, whose turn. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import strategies

NO_REASON = "Ansible gave no reason."
#: No host has this name.
ALL_AT_ONCE = "all at once"


@dataclasses.dataclass(frozen=True)
class Host:
    """How far a host of the play has come."""

    name: str
    #: It began, and has something to do.
    began: bool = False
    #: The commit that it has brought into service for good in this run.
    done: str = ""
    #: It goes back; with the task that failed on it, empty where it was well.
    goes_back: bool = False
    failed_task: str = ""
    reason: str = ""
    #: Its site answers, and will not for a moment while it switches.
    has_gap: bool = False


@dataclasses.dataclass(frozen=True)
class Cause:
    """Why a host goes back."""

    task: str
    reason: str
    #: The other hosts that it failed on; none: it failed on this one.
    hosts: tuple[str, ...] = ()


def read_host(name: str, facts: t.Mapping[str, t.Any]) -> Host:
    """Read it from the facts that the role has set."""
    failure = facts.get("django_app__failure") or {}
    release = (facts.get("django_app__recorded") or {}).get("release") or {}
    begun = facts.get("django_app__begun") or {}
    return Host(
        name=name,
        began=bool(begun.get("begun")),
        done=str(release.get("commit") or ""),
        goes_back="django_app__failed_task" in facts,
        failed_task=str(facts.get("django_app__failed_task") or ""),
        reason=reason_of(failure),
        has_gap=has_gap(begun),
    )


def has_gap(begun: t.Mapping[str, t.Any]) -> bool:
    """Return whether a site that answers will not for a moment: it is recreated, or its ports pass to the proxy."""
    plan = begun.get("plan") or {}
    if not plan.get("deploy"):
        return False
    moves = any(plan.get(one) for one in ("first_proxy", "front_recreated", "routes_moved"))
    stops = moves or strategies.named(plan["strategy"]).has_gap
    answers = any(one.get("published") and one.get("state") == "running" for one in begun.get("containers") or [])
    return bool(stops and answers)


def turns(hosts: t.Sequence[Host]) -> list[str]:
    """Name the hosts in whose order a release is switched to; C(ALL_AT_ONCE) alone where no host has to wait.

    A load balancer before them then always has one that answers.
    """
    return [one.name for one in hosts] if len(hosts) > 1 and any(one.has_gap for one in hosts) else [ALL_AT_ONCE]


def reason_of(failure: t.Mapping[str, t.Any]) -> str:
    """Return the message of a failed task; of a loop, that of its first failed item."""
    failed = [one for one in failure.get("results") or [] if one.get("failed")]
    reason = str((failed[0].get("msg") if failed else "") or failure.get("msg") or NO_REASON).strip()
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."


def first_cause(me: Host, others: t.Sequence[Host]) -> Cause:
    """Return why a host goes back: its own failure, or another host's, or one that is out of reach."""
    if me.failed_task:
        return Cause(me.failed_task, me.reason)
    failed = [one for one in others if one.failed_task]
    if failed:
        return Cause(failed[0].failed_task, failed[0].reason, tuple(one.name for one in failed))
    lost = tuple(one.name for one in others if one.began and not one.done and not one.goes_back)
    return Cause("Reach the host", "It can't be reached any more.", lost or ("another host of this play",))


def turns_back(hosts: t.Sequence[Host]) -> list[list[str]]:
    """Name the hosts that go back, those together that do so at once: of those that serve well, each alone."""
    back = [one for one in hosts if one.goes_back]
    failed = [one.name for one in back if one.failed_task]
    well = [one.name for one in back if not one.failed_task]
    if not any(one.has_gap for one in back):
        return [failed + well]
    return [some for some in (failed, *([one] for one in well)) if some]


def recorded_reason(cause: Cause) -> str:
    """Return the reason as the journal of a host keeps it."""
    return f"on {', '.join(cause.hosts)}, not here: {cause.reason}" if cause.hosts else cause.reason


def not_done(me: Host, cause: Cause, ahead: t.Sequence[str], undone: t.Mapping[str, t.Any]) -> str:
    """Return what failed, where, and how things stand: the first cause first, then what of the undo failed."""
    said = [f"Not done: '{cause.task}' failed on {', '.join(cause.hosts) or me.name}.", cause.reason]
    if cause.hosts:
        together = " and goes back, so that all hosts serve the same release" if undone.get("undone") else ""
        said.append(f"{me.name} was well{together if not ahead else together.partition(',')[0]}.")
    said.append(_how_it_stands(me.name, undone))
    if undone.get("not_cleared"):
        why = str(undone["not_cleared"]).rstrip(". ")
        said.append(
            f"And pages of it may be left in the caches, which could not be cleared ({why}): the next deploy does that."
        )
    if ahead:
        said.append(f"The new release serves on {', '.join(ahead)}, where it was done before.")
    return " ".join(one for one in said if one)


def _how_it_stands(me: str, undone: t.Mapping[str, t.Any]) -> str:
    number = undone.get("number")
    if undone.get("unreachable"):
        return "And this host can't be reached any more, so it brings back by itself what served before."
    if undone.get("failed") and undone.get("deployer"):
        return str(undone["msg"])  # it is gone, or was cancelled, and says what follows
    if undone.get("failed"):
        why = str(undone.get("msg") or NO_REASON).rstrip(". ")
        return (
            f"And what served before could not be brought back: {why}. {me} goes on trying: see playbooks/status.yml."
        )
    words = str(undone.get("words") or "")
    if undone.get("undone") and undone.get("serves") and undone.get("broken"):
        return f"The release before runs again, but the database is no longer what its code needs. {words}"
    if undone.get("undone") and undone.get("problems"):
        return f"What served before was brought back, but {'; and '.join(undone['problems'])}. {words}".strip()
    if undone.get("undone") and not undone.get("serves"):
        beside = ", ".join(undone.get("left") or [])
        left = f" but what it needs, which runs on ({beside})" if beside else ""
        return words or f"Nothing served before, and nothing of release {number} is left{left}."
    if undone.get("undone"):
        return f"What served before serves{'. ' + words if words else f'; nothing of release {number} is left.'}"
    if words:
        return words
    if number:
        return f"But release {number} is verified and serves, and the next deploy tidies up after it."
    return ""


def compared(served: t.Mapping[str, t.Sequence[str] | None]) -> list[str]:
    """Return which hosts serve which commit, a line for each; C(None) for a host that could not be looked at."""
    groups: dict[str, list[str]] = {}
    for name, commits in served.items():
        if commits is not None:
            groups.setdefault(_commits(commits), []).append(name)
    lines = [f"  {what}: {', '.join(names)}" for what, names in groups.items()]
    unknown = ", ".join(name for name, commits in served.items() if commits is None)
    lines += [f"  not known, could not be looked at: {unknown}"] if unknown else []
    if len(groups) > 1:
        return ["Hosts serve different commits: deploy to all of them at once.", *lines]
    return ["All hosts that could be looked at serve the same commit:" if unknown else "All hosts agree:", *lines]


def _commits(commits: t.Sequence[str]) -> str:
    return " and ".join(one[:12] or "a commit that is not known" for one in commits) or "nothing"
