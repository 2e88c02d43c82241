# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What git is told by its environment, and as whom it works. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import owner as base_owner

#: What a repository may have git run for it, in commands that are not a person's: where its checkout is mounted into a
#: container, the container's code can write it. docker compose asks git about a build, too.
GIT_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.alternateRefsCommand", "true"),
    ("log.showSignature", "false"),
    ("merge.verifySignatures", "false"),
    ("protocol.ext.allow", "never"),
)


class GitEnvironment:
    """What git is told by its environment, in this process."""

    def __init__(self) -> None:
        self.settings: tuple[tuple[str, str], ...] = GIT_SETTINGS
        self.ssh_command = ""
        #: Why git works as root in a checkout that is another user's; empty when it works as that user, and nothing as
        #: long as nobody has looked.
        self.as_root: str | None = None

    def user(self, argv: list[str]) -> base_owner.Owner | None:
        """Return whom a command has to work as: where we are root, git works as the owner of the checkout."""
        if argv[:2] != ["git", "-C"] or self.as_root:
            return None
        owner = base_owner.of(argv[2])
        return owner if owner and owner.may_enter(argv[2]) else None

    def trust(self, settings: list[tuple[str, str]], ssh_command: str) -> None:
        """Add settings, and say how git reaches its server by ssh."""
        self.settings = (*GIT_SETTINGS, *settings)
        self.ssh_command = ssh_command

    def variables(self, environment: t.Mapping[str, str]) -> dict[str, str]:
        """Return the variables, beside those that a person has set."""
        count = environment.get("GIT_CONFIG_COUNT", "")
        first = int(count) if count.isascii() and count.isdigit() else 0
        more = {"GIT_CONFIG_COUNT": str(first + len(self.settings))}
        for number, (key, value) in enumerate(self.settings, first):
            more |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        ssh = environment.get("GIT_SSH_COMMAND") or self.ssh_command
        if ssh or "GIT_SSH" not in environment:
            more["GIT_SSH_COMMAND"] = without_questions(ssh or "ssh")
        return more


git = GitEnvironment()


def without_questions(ssh_command: str) -> str:
    """Return a command by which ssh asks nobody for a password; one that is not ssh itself stays as it is."""
    words = ssh_command.split()
    if not words or os.path.basename(words[0]) != "ssh":
        return ssh_command
    return ssh_command if "batchmode" in ssh_command.lower() else f"{ssh_command} -o BatchMode=yes"
