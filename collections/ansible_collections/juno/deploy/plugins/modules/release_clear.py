#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Clear the caches after a switch. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_clear
short_description: Clear the caches after a switch
version_added: 0.2.0
description:
  - Clears what is in the app's caches and may be old, as O(juno.deploy.release_begin#module:caches) says. All of
    it, or the pages that name a static file that was replaced, or nothing where the release can't read what was
    cached before it.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Clear the caches
  juno.deploy.release_clear:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
settings:
  description: What M(juno.deploy.django_cache_clear) returns, where it was done by the app's settings.
  returned: when caches were cleared so
  type: dict
  sample: {changed: true}
memcached:
  description: What M(juno.deploy.memcached_flush) returns, where memcached was flushed.
  returned: when caches were cleared so
  type: dict
  sample: {changed: true}
"""
