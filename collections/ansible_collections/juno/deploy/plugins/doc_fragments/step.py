# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that tell a deployer to do a step."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(STEP), and of C(FOLLOW), in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  project:
    description:
      - Name of the compose project.
    type: str
    required: true
  task_id:
    description:
      - What tells this task from all others. The action plugin fills it in.
    type: str
    default: ''
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: none
  platform:
    support: full
    platforms: posix
"""

    # Also of the module release_begin, which says itself what the first two are there.
    FOLLOW = r"""
options:
  deployer:
    description:
      - Id of the deployer, RV(juno.deploy.release_begin#module:deployer).
    type: str
    default: ''
  next_step_timeout_seconds:
    description:
      - How long the deployer waits for the next step when this one has ended, in seconds. V(0) is what
        M(juno.deploy.release_begin) was told.
    type: float
    default: 0
  after:
    description:
      - How many events of the step are known already. The action plugin fills it in.
    type: int
    default: -1
"""
