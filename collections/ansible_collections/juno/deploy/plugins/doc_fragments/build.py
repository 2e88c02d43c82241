# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(build): how a release is built and checked."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(BUILD) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  build:
    description:
      - How the release is built and checked.
    type: dict
    suboptions:
      check_command:
        description:
          - The command, as a list of words, that tells whether the code can start.
          - An empty list leaves the throwaway container out, and with it all that is looked at there; static files
            are collected nevertheless.
        type: list
        elements: str
        default: [python, manage.py, check]
      build_timeout_seconds:
        description:
          - How long the build may take.
        type: int
        default: 1800
      check_timeout_seconds:
        description:
          - How long O(build.check_command) may take, and as long everything else that is asked of the new code.
        type: int
        default: 120
      frontend:
        description:
          - The app's own command, as a list of words, that builds its front-end (Tailwind, say). It is run in a
            throwaway container, in the clean checkout, before the code is checked and static files are collected.
          - What it makes and git does not track is kept as long as the release, and M(juno.deploy.release_switch)
            puts it into the app's checkout.
        type: list
        elements: str
        default: []
"""
