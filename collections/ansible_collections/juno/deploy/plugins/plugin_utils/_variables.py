# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like the role's and are none of its. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import difflib
import functools
import pathlib
import typing as t

from ansible.module_utils.common.yaml import yaml_load

if t.TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "django_app_"
#: The role's own.
INNER = "django_app__"
_SPECS = pathlib.Path(__file__).resolve().parents[2] / "roles" / "django_app" / "meta" / "argument_specs.yml"


@functools.lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Return the variables that the role has."""
    specs = yaml_load(_SPECS.read_text(encoding="utf-8"))["argument_specs"]
    return frozenset(name for spec in specs.values() for name in spec.get("options") or {})


def unknown(names: Iterable[str]) -> list[str]:
    """Return of each variable that begins like the role's and is none of its what may have been meant."""
    lines = []
    for name in sorted(names):
        if not name.startswith(PREFIX) or name.startswith(INNER) or name in known():
            continue
        near = difflib.get_close_matches(name, known(), n=1, cutoff=0.85)
        meant = f"did you mean {near[0]}?" if near else "it does nothing by itself"
        lines.append(f"{name} is no variable of this role; {meant}")
    return lines
