# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app for gunicorn."""

from __future__ import annotations

import typing as t


def application(_environ: dict[str, t.Any], start_response: t.Callable[..., t.Any]) -> list[bytes]:
    """Answer each request."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"It works.\n"]
