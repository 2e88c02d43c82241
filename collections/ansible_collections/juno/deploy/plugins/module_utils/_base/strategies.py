# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strategies, by what the code asks about them, and which one a deploy takes. Private to juno.deploy.

No other module compares the name of a strategy: a new one answers all questions here.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError


@dataclasses.dataclass(frozen=True)
class Strategy:
    """How traffic moves to a release."""

    name: str
    #: The site gets new containers: with an environment, a command and volumes of their own, asked for pages before
    #: visitors come, behind a proxy that is told of them. Else the same containers get new workers (a reload).
    new_containers: bool
    #: It works behind the proxy only, which comes before the site where there is none.
    needs_proxy: bool
    #: The new code serves before the old one ends, so that both run, and have connections, at a time.
    overlaps: bool
    #: Nobody is answered for a moment; without one, no request may be lost.
    has_gap: bool
    #: What is taken where it is not possible; empty where it always is.
    fallback: str = ""


#: In the order of the documentation.
ALL = (
    Strategy("rolling", new_containers=True, needs_proxy=True, overlaps=True, has_gap=False, fallback="recreate"),
    Strategy("reload", new_containers=False, needs_proxy=False, overlaps=True, has_gap=False, fallback="rolling"),
    Strategy("recreate", new_containers=True, needs_proxy=False, overlaps=False, has_gap=True),
)
NAMES = tuple(one.name for one in ALL)
DEFAULT = "rolling"
#: Of quick deploys, as the role has it.
QUICK_DEFAULT = "reload"


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A strategy, and why it isn't the one that was asked for."""

    strategy: str
    reasons: tuple[str, ...] = ()


def named(name: str) -> Strategy:
    """Return the strategy of a name.

    :raises BadInputError: this version has none of that name.
    """
    for one in ALL:
        if one.name == name:
            return one
    raise BadInputError(
        f"There is no strategy '{name}' in this version of juno.deploy: set 'strategy' to {', '.join(NAMES[:-1])} or "
        f"{NAMES[-1]}, or use the version that knows it."
    )


def choose(wanted: str, *, no_reload: str, no_proxy: str) -> Chosen:
    """Take the wanted strategy unless there is a reason against it, else the next that is possible.

    C(no_reload) and C(no_proxy) say why a reload, or a proxy, is not possible; nothing when it is.
    """
    strategy, reasons = named(wanted), list[str]()
    while why := _why_not(strategy, no_reload, no_proxy):
        reasons.append(f"not {strategy.name}, because {why}")
        strategy = named(strategy.fallback)
    return Chosen(strategy.name, tuple(reasons))


def _why_not(strategy: Strategy, no_reload: str, no_proxy: str) -> str:
    if not strategy.new_containers:
        return no_reload
    return no_proxy if strategy.needs_proxy else ""
