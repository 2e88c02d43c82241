# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an app's caches are cleared as a part of other work."""

from __future__ import annotations


class ModuleDocFragment:
    """The option of C(ARGUMENTS) in C(module_utils/_cache_order.py)."""

    DOCUMENTATION = r"""
options:
  caches:
    description:
      - How the app's caches are cleared where a module does it as a part of its work. With
        M(juno.deploy.release_begin) that is on the managed host by itself, should the controller die after visitors
        have met the new release; with M(juno.deploy.release_switch) it is between the old containers and the new ones,
        where nothing serves meanwhile (C(recreate)).
      - Without it they are not.
    type: dict
    suboptions:
      method:
        description:
          - V(settings) does it as M(juno.deploy.django_cache_clear), V(memcached) as M(juno.deploy.memcached_flush).
        type: str
        choices: [settings, memcached, none]
        default: settings
      settings:
        description:
          - The settings module, with V(settings).
        type: str
      alias:
        description:
          - The caches to clear, with V(settings); all of them without it.
        type: list
        elements: str
      command:
        description:
          - The app's own management command that clears them, with V(settings).
        type: str
      service:
        description:
          - The compose service that runs memcached, with V(memcached).
        type: str
        default: memcached
      port:
        description:
          - The port that memcached listens at, with V(memcached).
        type: int
        default: 11211
      mode:
        description:
          - What of a cache goes, as with M(juno.deploy.django_cache_clear).
        type: str
        choices: [auto, selective, flush]
        default: auto
      keep:
        description:
          - Entries that stay, as with M(juno.deploy.django_cache_clear).
        type: list
        elements: str
        default: []
      allow_loss:
        description:
          - Allow a flush that takes sessions or keys of others.
        type: bool
        default: false
"""
