# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a release, and shows what goes on."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt, _watch

_interrupt.listen()


class ActionModule(_watch.StepAction):
    """Follows the step."""

    doing = "build"
