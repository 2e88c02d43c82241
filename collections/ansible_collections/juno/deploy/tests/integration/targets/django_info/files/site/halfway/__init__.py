# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app whose optional import fails where its extra isn't installed."""

import no_such_extra  # noqa: F401
