# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variants as data: which controller deploys with which settings, and which of them run when."""

from __future__ import annotations

import dataclasses
import re
import typing as t

#: Each ansible-core that the collection takes, oldest first, with the Pythons that it says it takes on the controller.
CORES = {
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
OLDEST, NEWEST = min(CORES), max(CORES)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What of a controller and its inventory differs. The defaults are what a user of Galaxy has who sets nothing."""

    #: C(galaxy): the built collection, installed, without an ansible.cfg. C(checkout): this repository with its own.
    config: t.Literal["galaxy", "checkout"] = "galaxy"
    pipelining: bool = False
    connection: t.Literal["ssh", "local", "docker"] = "ssh"
    become: t.Literal["no", "password", "nopasswd"] = "no"
    strategy: t.Literal["linear", "free"] = "linear"
    forks: int = 5
    hosts: int = 1
    #: One host after the other, in a play of one's own.
    serial: bool = False
    #: C(runner): ansible-runner, which gives it a terminal of its own. C(runner-pipes): the same without any.
    launcher: t.Literal["playbook", "runner", "runner-pipes"] = "playbook"
    callback: t.Literal["default", "minimal", "json"] = "default"
    #: Ask for the plan first, which must change nothing.
    check: bool = False

    def words(self) -> str:
        """Return what differs from Ansible's own defaults, and what is of interest in any case."""
        parts = [self.connection, "pipelining" if self.pipelining else "no pipelining"]
        parts += ["our ansible.cfg"] if self.config == "checkout" else []
        parts += [f"become {self.become}"] if self.become != "no" else []
        parts += ["free"] if self.strategy == "free" else []
        parts += [f"forks {self.forks}"] if self.forks != 5 else []
        parts += ["serial 1"] if self.serial else []
        parts += [f"{self.hosts} hosts"] if self.hosts > 1 else []
        parts += [self.launcher] if self.launcher != "playbook" else []
        parts += [self.callback] if self.callback != "default" else []
        parts += ["check"] if self.check else []
        return ", ".join(parts)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of the matrix."""

    core: str
    python: str
    settings: Settings = Settings()
    #: An ansible-core that the collection does not take: it must say so before anything is done.
    refused: bool = False

    @property
    def name(self) -> str:
        """Return the name that C(--only) is held against."""
        return f"{self.core}/{self.python} {'refused' if self.refused else self.settings.words()}"


#: What "make test" sees: the oldest with what Ansible does by default and a password, the newest with the opposite.
EVERYDAY_OLDEST = Settings(become="password", check=True)
EVERYDAY_NEWEST = Settings(pipelining=True, strategy="free", forks=1, callback="json")

#: Together each value of each setting: on the oldest and on the newest.
EDGES = (
    EVERYDAY_OLDEST,
    EVERYDAY_NEWEST,
    Settings(config="checkout", pipelining=True, strategy="free", forks=1, hosts=2),
    Settings(pipelining=True, become="nopasswd", hosts=2, serial=True, launcher="runner"),
    Settings(connection="docker", callback="json", check=True),
    Settings(connection="local", become="nopasswd", callback="minimal"),
    Settings(launcher="runner-pipes", become="password", strategy="free"),
)
#: Between them one row each, with other combinations.
BETWEEN = (
    Variant("2.17", "3.11", Settings(strategy="free", callback="json")),
    Variant("2.17", "3.12", Settings(connection="docker", pipelining=True, become="password", check=True)),
    Variant("2.18", "3.11", Settings(become="nopasswd", launcher="runner")),
    Variant("2.18", "3.12", Settings(connection="local", pipelining=True, become="password", callback="json")),
    Variant("2.18", "3.13", Settings(pipelining=True, become="password", hosts=2, serial=True)),
    Variant("2.19", "3.11", Settings(config="checkout", pipelining=True, callback="minimal", check=True)),
    Variant("2.19", "3.12", Settings(connection="docker", become="nopasswd", strategy="free", callback="minimal")),
    Variant("2.19", "3.13", Settings(become="password", forks=1, hosts=2, callback="json")),
    Variant("2.20", "3.12", Settings(connection="local", check=True)),
    Variant("2.20", "3.13", Settings(become="nopasswd", strategy="free", hosts=2)),
    Variant("2.21", "3.12", Settings(pipelining=True, launcher="runner-pipes", callback="minimal")),
)
REFUSED = (Variant("2.16", "3.10", refused=True), Variant("2.16", "3.11", refused=True))


@dataclasses.dataclass(frozen=True)
class Choice:
    """What is to run, and what can't be seen here."""

    variants: list[Variant]
    missing: list[Variant]


def choose(present: t.Collection[str], *, every: bool, only: str = "") -> Choice:
    """Return the variants to run: of every day, or all; with C(only), of all those whose name fits.

    :param present: the Pythons of this machine, such as C(3.11).
    """
    variants = [one for one in (_all(present) if every or only else _everyday(present)) if re.search(only, one.name)]
    return Choice(
        [one for one in variants if one.python in present], [one for one in variants if one.python not in present]
    )


def _all(present: t.Collection[str]) -> list[Variant]:
    """Return all; the edges are at the oldest and the newest Python that are there. None is left out if absent."""
    oldest, newest = ((core, _edge(core, present)) for core in (OLDEST, NEWEST))
    between = {(one.core, one.python): one for one in BETWEEN}
    others = [(core, python) for core, pythons in CORES.items() for python in pythons]
    return [
        *(Variant(*oldest, one) for one in EDGES),
        *(between.get(one, Variant(*one, EVERYDAY_OLDEST)) for one in others if one not in (oldest, newest)),
        *(Variant(*newest, one) for one in EDGES),
        *REFUSED,
    ]


def _everyday(present: t.Collection[str]) -> list[Variant]:
    """Return one row of the oldest, one of the newest, one that is refused; and what is nearer to it but absent."""
    refused = next((one for one in REFUSED if one.python in present), REFUSED[0])
    return [*_nearest(OLDEST, EVERYDAY_OLDEST, present), *_nearest(NEWEST, EVERYDAY_NEWEST, present), refused]


def _nearest(core: str, settings: Settings, present: t.Collection[str]) -> list[Variant]:
    edge = _edge(core, present)
    order = _from_edge(core)
    return [Variant(core, python, settings) for python in order[: order.index(edge) + 1]]


def _edge(core: str, present: t.Collection[str]) -> str:
    """Return the Python at the edge: the oldest of the oldest, the newest of the others, as far as there is one."""
    order = _from_edge(core)
    return next((python for python in order if python in present), order[0])


def _from_edge(core: str) -> tuple[str, ...]:
    return CORES[core] if core == OLDEST else CORES[core][::-1]
