# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database has connections enough for two releases at a time. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import strategies

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def too_few(room: Mapping[str, int], strategy: str) -> list[str]:
    """Return that the database may not have enough while old and new containers run, or nothing.

    :param strategy: empty where the release is built alone, for no switch.
    :param room: what C(_in_app.connection_room) counted: C(most), C(open), C(mine).
    """
    if not strategy or not strategies.named(strategy).overlaps:
        return []
    if not room or room["open"] + room["mine"] <= room["most"]:
        return []
    line = (
        f"The database takes {room['most']} connections, {room['open']} are open, {room['mine']} of them by the app: "
        "there is no room for as many more, which the new release may open while the old one still serves. Raise "
        "max_connections, lower CONN_MAX_AGE or the number of workers, or deploy with 'strategy: recreate'."
    )
    return [line]
