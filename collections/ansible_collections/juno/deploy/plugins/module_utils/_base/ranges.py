# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that a person sets have a least value. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

#: With none kept there would be nothing to go back to. All others may be 0.
LEAST = {"record.keep_releases": 1}


def require(params: Mapping[str, t.Any], group: str = "") -> None:
    """Make sure that no number is less than it can mean, groups of options included.

    :raises BadInputError: one is.
    """
    for name, value in params.items():
        path = f"{group}{name}"
        if isinstance(value, dict):
            require(value, f"{path}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and value < LEAST.get(path, 0):
            raise BadInputError(
                f"'{path}' is {value}, and must be {LEAST.get(path, 0)} at least: correct it. Nothing was changed."
            )
