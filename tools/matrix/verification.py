# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a variant must show: a deploy, the same with nothing to do, a rollback, and after each what serves."""

from __future__ import annotations

import re

from tools.matrix import sites
from tools.matrix.plays import Played, Player, VariantError

_DONE = re.compile(r"Done: release (\d+) serves")
_AGREE = re.compile(r"All agree: release (\d+) serves")


def verify(player: Player) -> None:
    """Deploy, deploy again, roll back.

    :raises VariantError: something is not as it must be.
    """
    hosts, settings = player.hosts, player.settings
    owner = "root" if settings.become == "no" else sites.USER
    for host in hosts:
        host.prepare(owner, password=settings.become == "password")
        # It may have missed what was for others.
        sites.push(host)
    if any(not host.edition for host in hosts):
        # A release to go back to.
        player.play("deploy")
        _see_pages(player, {host: sites.written() for host in hosts})
    before = {host: host.edition for host in hosts}
    edition = sites.next_edition(hosts)
    if settings.check:
        _plan_only(player)
    _see_status(player, player.play("deploy"))
    _see_pages(player, dict.fromkeys(hosts, edition))
    _nothing_to_do(player)
    _see_status(player, player.play("rollback"))
    _see_pages(player, before)
    for host in hosts:
        if lost := host.not_owned(owner):
            raise VariantError(f"what belonged to {owner} no longer does: {', '.join(lost)}")
    if player.complaints:
        raise VariantError(f"{player.complaints[0]} ({len(player.complaints)} such lines)")


def verify_refusal(player: Player) -> None:
    """See that the controller is refused in a sentence, and that nothing was done.

    :raises VariantError: something is not as it must be.
    """
    before = [host.traces() for host in player.hosts]
    played = player.attempt("deploy")
    if not played.code:
        raise VariantError("deploy: exit code 0")
    if [host.traces() for host in player.hosts] != before:
        raise VariantError(f"deploy: was refused ({played.reason()}), but left traces on the droplet")
    said = re.findall(r"^(?:fatal: |\[?ERROR).*", f"{played.stdout}\n{played.stderr}", re.MULTILINE)
    if len(said) != 1:
        raise VariantError(f"deploy: {len(said)} errors instead of one: {played.reason()}")
    if not re.search(rf"ansible-core[^:]*{re.escape(player.variant.core)}", played.text):
        raise VariantError(f"deploy: does not name this ansible-core: {played.reason()}")
    if found := re.search(r"Traceback|AnsiballZ|[Uu]nexpected|Error: ", played.text):
        raise VariantError(f"deploy: says '{found.group()}': {played.reason()}")


def _plan_only(player: Player) -> None:
    """See that check mode tells the plan, and changes nothing."""
    before = [(host.containers(), host.journal()) for host in player.hosts]
    played = player.play("deploy", "--check", "--diff")
    _see(played, "Deploy: yes", len(player.hosts))
    _see(played, "Done: release", 0)
    if [(host.containers(), host.journal()) for host in player.hosts] != before:
        raise VariantError("deploy --check: replaced containers, or wrote into the journal")
    _see_pages(player, {host: host.edition for host in player.hosts})


def _nothing_to_do(player: Player) -> None:
    before = [host.containers() for host in player.hosts]
    played = player.play("deploy")
    _see(played, "Deploy: no", len(player.hosts))
    _see(played, "Done: release", 0)
    if [host.containers() for host in player.hosts] != before:
        raise VariantError("deploy: had nothing to do, and replaced containers")


def _see_status(player: Player, played: Played) -> None:
    """See that every host has a release, and that the status says that just these serve."""
    done = sorted(_DONE.findall(played.text))
    if len(set(done)) > len(player.hosts) or not done:
        raise VariantError(f"deploy: says 'Done: release' of {len(done)} releases on {len(player.hosts)} hosts")
    agree = sorted(_AGREE.findall(player.play("status").text))
    if set(agree) != set(done):
        raise VariantError(f"status: says that {', '.join(agree) or 'none'} serves, and it is {', '.join(done)}")


def _see(played: Played, words: str, at_least: int) -> None:
    count = played.text.count(words)
    if count < at_least or (count and not at_least):
        raise VariantError(f"says '{words}' {count} times, not {at_least}: {played.reason()}")


def _see_pages(player: Player, editions: dict[sites.Host, int]) -> None:
    for host in player.hosts:
        host.edition = editions[host]
        shown = host.shows()
        if shown != host.edition:
            raise VariantError(f"{host.name} shows edition {shown}, not {host.edition}")
