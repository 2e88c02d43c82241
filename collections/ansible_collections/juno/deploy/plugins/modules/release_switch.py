#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Move the traffic to a release. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_switch
short_description: Move the traffic to a release
version_added: 0.2.0
description:
  - Writes down what serves, moves the checkout, and brings the release's containers into service by the plan's
    strategy.
  - When it fails, or a later step does, what served is brought back.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Switch to the release
  juno.deploy.release_switch:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
base_url:
  description: The site's address as this host reaches it.
  returned: success
  type: str
  sample: http://127.0.0.1:8001
containers:
  description: The app's containers, new ones outside check mode.
  returned: success
  type: list
  elements: str
  sample: [junojobs-web-1]
images:
  description: The id of the image that each of the app's services runs now.
  returned: success
  type: dict
  sample: {web: 'sha256:5b6c7d8e9f00'}
strategy:
  description: How the traffic moved.
  returned: success
  type: str
  sample: rolling
caches:
  description:
    - Whether the release can't read what was cached before it, since it has a cache version of its own (C(covered)),
      and which caches have to be cleared nevertheless (C(alias)). C(why) says why it has none.
  returned: success
  type: dict
  sample: {covered: true, alias: [], cache_version: 1769853600, why: ''}
services:
  description:
    - What was done to the other services of the project. Which of them were started that had never run, which were
      replaced (services to be updated), and how many seconds the replacing took.
  returned: success
  type: dict
  sample: {started: [], replaced: [nginx], replaced_seconds: 1.25}
notices:
  description: What a person should know of it, for example which containers were killed and what gives them longer.
  returned: success
  type: list
  elements: str
  sample: []
outage_seconds:
  description: How long nobody answered, from the last answer of old containers to the first of new ones; else 0.
  returned: success
  type: float
  sample: 4.1
log:
  description: The end of the log of a container that did not start.
  returned: failure to start
  type: str
  sample: 'ModuleNotFoundError: No module named jobs'
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: container, id: junojobs-web-2, status: started}]
"""
