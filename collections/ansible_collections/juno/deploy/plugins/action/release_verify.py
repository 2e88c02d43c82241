# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has this step of a release done, as the one action of all steps does."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.action import release_step

ActionModule = release_step.ActionModule
