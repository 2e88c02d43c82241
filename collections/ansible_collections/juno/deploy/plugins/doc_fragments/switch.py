# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(switch): how the traffic moves to a release."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(SWITCH) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  switch:
    description:
      - How the traffic moves.
    type: dict
    suboptions:
      grace_seconds:
        description:
          - How long an old server or worker may take to end its work before it is killed, where the compose file
            gives its service no C(stop_grace_period).
        type: int
        default: 30
      stream_grace_seconds:
        description:
          - How long the WebSockets and event streams of an old server go on before they are closed. They hold up the
            switch no longer than that.
        type: int
        default: 30
      settle_seconds:
        description:
          - How long a new container must have been healthy before M(juno.deploy.release_record) removes the
            old one. It gets requests earlier, while the old one is kept at hand.
        type: float
        default: 3.2
      purge_bytecode:
        description:
          - Remove compiled Python files from the checkout first, where the containers see the checkout itself.
        type: bool
        default: false
      bytecode_mode:
        description:
          - Which of them. V(stale) takes those that don't fit their source, or have none, as
            M(juno.deploy.pycache_purge) tells them; V(all) takes every one.
        type: str
        choices: [stale, all]
        default: stale
      prune_static:
        description:
          - Remove static files of earlier releases that are due, in a static root that is a directory of the managed
            host too (a bind mount or a local volume), right before the new workers start. When V(false) it is only
            remembered which files each release names.
        type: bool
        default: true
      protect_git:
        description:
          - Mount the checkout's C(.git) read-only over the place at which the app's containers see the checkout,
            so that their code can't write what git does on the host. New containers have it; O(strategy=reload)
            makes none.
        type: bool
        default: false
      warm_paths:
        description:
          - Pages, with their queries, that a new container is asked for before it gets requests of visitors, so
            that these find a filled cache. Only where nobody else can read what that fills, with a cache version of
            its own and O(strategy=rolling).
        type: list
        elements: str
        default: []
      warm_rate:
        description:
          - How many of O(switch.warm_paths) are asked for in a second, at most.
        type: float
        default: 20
"""
