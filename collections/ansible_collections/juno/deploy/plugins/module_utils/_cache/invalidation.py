# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the caches goes after a release's switch: from data to data. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Everything, pages that name a static file that was replaced, or nothing.
Scope = t.Literal["all", "naming", "none"]


def replaced_names(built: Mapping[str, t.Any], collected: Mapping[str, t.Any], *, recollect: bool) -> list[str] | None:
    """Return the names of static files that the release replaced; nothing where they are not known, or too many.

    :param built: the result of the build.
    :param collected: the result of collecting all from scratch, which only C(recollect) does.
    """
    static: Mapping[str, t.Any] = collected if recollect else built.get("static") or {}
    return static.get("replaced_names")


def scope(purpose: str, plan: Mapping[str, t.Any], *, recollect: bool, replaced: Sequence[str] | None) -> Scope:
    """Return what goes; only a deploy plans to leave something.

    :param purpose: V(deploy), V(rollback) or V(restart); empty where a person clears the caches.
    :param replaced: what C(replaced_names) gives.
    """
    planned: Scope = plan.get("clear", "all") if purpose == "deploy" else "all"
    if not recollect and planned != "naming":
        return planned
    if replaced is None:
        return "all"
    return "naming" if replaced else "none"
