# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role django_app: the hosts of a play, compared, and its variables. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._release import report_text
from ansible_collections.juno.deploy.plugins.plugin_utils import _caches_used, _fleet, _variables

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    HostVars = Mapping[str, Mapping[str, t.Any]]


def release_cause(hostvars: HostVars, me: str, batch: Sequence[str], everybody: Sequence[str]) -> dict[str, t.Any]:
    """Return why the host C(me) goes back; C(batch) are the hosts whose failure is being rescued right now."""
    # Hosts that were well are no longer in the play, nor are those that can't be reached.
    hosts = [_fleet.read_host(name, hostvars[name]) for name in everybody]
    hosts = [one if one.name in batch else dataclasses.replace(one, failed_task="") for one in hosts]
    cause = _fleet.first_cause(next(one for one in hosts if one.name == me), [one for one in hosts if one.name != me])
    return {**dataclasses.asdict(cause), "hosts": list(cause.hosts), "recorded": _fleet.recorded_reason(cause)}


def release_not_done(hostvars: HostVars, me: str, everybody: Sequence[str], undone: Mapping[str, t.Any]) -> str:
    """Return the last message of the host C(me), whose cause is in the fact C(django_app__cause)."""
    known = hostvars[me]["django_app__cause"]
    cause = _fleet.Cause(known["task"], known["reason"], tuple(known["hosts"]))
    commit = hostvars[me]["django_app__begun"]["git"]["target_commit"]
    hosts = [_fleet.read_host(name, hostvars[name]) for name in everybody]
    ahead = [one.name for one in hosts if one.name != me and one.done == commit]
    return _fleet.not_done(next(one for one in hosts if one.name == me), cause, ahead, undone)


def release_turns(hostvars: HostVars, batch: Sequence[str]) -> list[str]:
    """Name the hosts in whose order a release is switched to."""
    return _fleet.turns([_fleet.read_host(name, hostvars[name]) for name in batch])


def release_turns_back(hostvars: HostVars, everybody: Sequence[str]) -> list[list[str]]:
    """Name the hosts that go back, those together that do so at once."""
    return _fleet.turns_back([_fleet.read_host(name, hostvars[name]) for name in everybody])


def release_hosts(hostvars: HostVars, everybody: Sequence[str]) -> list[str]:
    """Return which hosts serve which commit."""
    looks = {name: hostvars[name].get("django_app__look") or {} for name in everybody}
    return _fleet.compared({name: look.get("serves") for name, look in looks.items()})


def release_cleared(
    done: Sequence[Mapping[str, t.Any]],
    *,
    method: str,
    command: str,
    switched: Mapping[str, t.Any],
    verified: Mapping[str, t.Any],
    check_mode: bool,
) -> list[str]:
    """Return the report where a person clears the caches; C(done) is what the settings told, and memcached."""
    cleared, flushed = (None if one.get("skipped") else one for one in done)
    results = report_text.Results(cleared=cleared, flushed=flushed, switched=switched, verified=verified)
    site = report_text.Site(purpose="", host_name="", cache_method=method, cache_command=command or "")
    return report_text.clear_lines(results, site, check_mode=check_mode)


def release_why(
    app_says: str,
    *,
    switched: Mapping[str, t.Any],
    cleared: Mapping[str, t.Any],
    cache_version_variable: str,
    reboot: str | None,
) -> list[str]:
    """Return what C(-v) tells more; C(app_says) is the message of juno.deploy.django_info."""
    results = report_text.Results(cleared=None if cleared.get("skipped") else cleared, switched=switched)
    return report_text.why_lines(results, cache_version_variable, app_says, reboot)


class FilterModule:
    """The filters by their names."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """Return the filters."""
        return {
            "release_hosts": release_hosts,
            "release_cause": release_cause,
            "release_cleared": release_cleared,
            "release_not_done": release_not_done,
            "release_turns": release_turns,
            "release_why": release_why,
            "release_turns_back": release_turns_back,
            "instead_of_memcached": _caches_used.instead_of_memcached,
            "unknown_variables": _variables.unknown,
        }
