# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which strategy a deploy takes: the one that was asked for, or the next that is possible. Private to juno.deploy."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A strategy, and why it isn't the one that was asked for."""

    strategy: str
    reasons: tuple[str, ...] = ()


def choose(wanted: str, *, no_reload: str, no_proxy: str) -> Chosen:
    """Take the wanted strategy unless there is a reason against it.

    C(no_reload) and C(no_proxy) say why a reload, or a proxy, is not possible; nothing when it is.
    """
    reasons: list[str] = []
    if wanted == "reload":
        if not no_reload:
            return Chosen("reload")
        reasons.append(f"not reload, because {no_reload}")
        wanted = "rolling"
    if wanted == "rolling" and no_proxy:
        reasons.append(f"not rolling, because {no_proxy}")
        wanted = "recreate"
    return Chosen(wanted, tuple(reasons))
