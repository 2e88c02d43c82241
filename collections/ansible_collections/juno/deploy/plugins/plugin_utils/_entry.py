# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory entry on the controller: what is set already, and how a file differs. Private to juno.deploy."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import masking
from ansible_collections.juno.deploy.plugins.module_utils._in_app.masking import MASK
from ansible_collections.juno.deploy.plugins.plugin_utils import _variables

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What the module project_info has options for; all else is written as it is.
OPTIONS = frozenset(
    (
        *("service", "worker_services", "exclude_services", "compose_files", "docker_host", "state_root", "remote"),
        *("branch", "base_url", "strategy", "proxy_image"),
    )
)
#: Found anew each time, or not about the app.
LEFT_OUT = frozenset(("path", "project", "init_file"))
_LINE = re.compile(r"(?P<before>[\s#-]*\"?(?P<name>\w[\w-]*)\"?\s*:\s+)(?P<value>\S.*)")


def given(variables: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return which of the role's variables a host has, without their prefix; those without an option in C(others)."""
    size = len(_variables.PREFIX)
    names = [name for name in sorted(variables) if name in _variables.known() and name[size:] not in LEFT_OUT]
    found = {name[size:]: variables[name] for name in names}
    others = {name: value for name, value in found.items() if name not in OPTIONS}
    return {**{name: value for name, value in found.items() if name in OPTIONS}, "others": others}


def differences(entry: Sequence[str], there: str, name: str) -> list[str]:
    """Return in what an entry differs from a file's text, as a diff; what is named like a secret is not shown."""
    old, new = ([_hidden(line) for line in lines] for lines in (there.splitlines(), entry))
    return list(difflib.unified_diff(old, new, name, "found now", n=0, lineterm=""))


def _hidden(line: str) -> str:
    found = _LINE.fullmatch(line)
    return f"{found['before']}{MASK}" if found and masking.is_secret(found["name"]) else line
