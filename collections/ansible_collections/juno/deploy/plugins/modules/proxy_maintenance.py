#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Show or hide a maintenance page in place of a Django compose app."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proxy_maintenance
short_description: Show or hide a maintenance page in place of a Django compose app
version_added: 0.2.0
description:
  - Lets the app's proxy (the HAProxy container that M(juno.deploy.release_switch) puts in front of an app with
    V(rolling)) answer each request with a page and the status 503, with C(Retry-After) and C(Cache-Control=no-store),
    or give requests to the app again. Requests at work are not disturbed, and the app's containers are not touched.
  - It stays so when the proxy is restarted.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
  - juno.deploy.app.state
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  shown:
    description:
      - Whether visitors get the page.
    type: bool
    required: true
  page:
    description:
      - The page as HTML, in UTF-8. Without it the one from before, at first a plain one of ours.
    type: str
seealso:
  - module: juno.deploy.release_switch
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Show the maintenance page
  juno.deploy.proxy_maintenance:
    path: /root/JunoJobs
    project: junojobs
    shown: true
"""

RETURN = r"""
shown:
  description: Whether visitors get the page.
  returned: success
  type: bool
  sample: true
msg:
  description: What the proxy does now, in a sentence.
  returned: success
  type: str
  sample: The proxy of junojobs shows the maintenance page (503)
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: page, id: junojobs, status: shown}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._app import app
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._module import run
from ansible_collections.juno.deploy.plugins.module_utils._proxy import maintenance


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Show or hide."""
    params = module.params
    return maintenance.show(app.from_params(params), shown=params["shown"], page=params["page"], dry=module.check_mode)


def main() -> None:
    """Run the module."""
    spec = {**options.APP, "shown": {"type": "bool", "required": True}, "page": {"type": "str"}}
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
