# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(caches): how a release's caches are cleared."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.doc_fragments import cache_policy
from ansible_collections.juno.deploy.plugins.plugin_utils import _fragment


class ModuleDocFragment:
    """Options of C(CACHES) in C(module_utils/_base/options.py)."""

    # Beside those of the cache policy.
    OPTIONS = r"""
options:
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
"""

    # Not as a plain assignment, of which yamllint's sanity test takes each for a literal.
    DOCUMENTATION: str = _fragment.group(
        "caches",
        "How the app's caches are cleared.",
        cache_policy.ModuleDocFragment.DOCUMENTATION,
        OPTIONS,
    )
