# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role django_app about inventory entries. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.plugin_utils import _entry

if t.TYPE_CHECKING:
    from collections.abc import Callable


class FilterModule:
    """The filters by their names."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        """Return the filters."""
        return {"entry_given": _entry.given, "entry_differences": _entry.differences}
