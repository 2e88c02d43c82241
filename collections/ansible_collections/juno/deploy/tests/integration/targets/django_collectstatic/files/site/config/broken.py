# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that can't be imported."""

raise RuntimeError("the settings are broken")
