# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that only a person's commands get."""

from config.settings import *  # noqa: F403
