#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Say what serves, and whether the journal agrees."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Say what serves, and whether the journal agrees
version_added: 0.1.0
description:
  - Looks at the app's containers, its proxy, checkout, lock and the journal of its releases, and names each thing on
    which they disagree, with what to do.
  - Names also each other service of the project that should run by its compose file and doesn't, is unhealthy, or had
    to be started again by the Engine within the last ten minutes. A task that has ended well is no finding.
  - While another run is at work on the app, it says who that is, from where and since when, and judges nothing that is
    on the move. So it does while a droplet brings back what served before by itself.
  - What an interrupted deploy left is named; the next deploy picks it up.
  - A deploy that failed and was undone is reported and is no disagreement, since what served before serves.
  - Fetches nothing and changes nothing, so it also works while the git server can't be reached.
  - What can't be looked at (the Engine, the checkout) is a finding beside the others and no failure, unless logs are
    wanted and the Engine does not give them.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.attributes.info
  - juno.deploy.app
  - juno.deploy.app.state
attributes:
  platform:
    support: full
    platforms: posix
options:
  history_length:
    description:
      - How many of the newest releases are given.
    type: int
    default: 20
  log_lines:
    description:
      - How many of the last lines of each of the app's containers are given. With V(0) no log is read.
    type: int
    default: 0
  log_follow_seconds:
    description:
      - For how many seconds what these containers log is waited for, beside their last lines; at most 3600. All of it
        is given when the time is up, since Ansible shows nothing of a task before it has ended.
    type: int
    default: 0
    version_added: 0.2.0
seealso:
  - module: juno.deploy.release_begin
  - module: juno.deploy.release_record
  - module: juno.deploy.proxy_maintenance
notes:
  - The commit of a container is the one of the newest release that recorded the container, else its image, else the one
    in the image's name. Where the code is bind-mounted, a worker that is restarted reads the checkout.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Look at what serves
  juno.deploy.release_info:
    path: /root/JunoJobs
    project: junojobs
  register: status

- name: Stop unless all agree
  ansible.builtin.assert:
    that: status.agrees
    fail_msg: "{{ status.findings | join(' ') }}"
"""

RETURN = r"""
agrees:
  description: Whether containers, checkout and journal agree; false while a run is at work on the app.
  returned: success
  type: bool
  sample: true
findings:
  description: Each thing that is not as it should be, with what to do.
  returned: success
  type: list
  elements: str
  sample: []
releases:
  description: The newest releases in the journal, newest first.
  returned: success
  type: list
  elements: dict
  sample: [{number: 7, commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, outcome: done, who: root@laptop}]
containers:
  description:
    - The project's containers, stopped ones too. Those of the app have the commit that they run, and the number of its
      release (0 when no release recorded their image).
  returned: success
  type: list
  elements: dict
  sample:
    - name: junojobs-web-1
      service: web
      state: running
      status: Up 3 hours
      image_id: sha256:5b6c7d8e9f00
      image: junojobs-web:juno-8f5d0b1c2a3e
      commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
      release: 7
base_url:
  description:
    - The site's address as this host reaches it, from the port that its proxy or else O(service) publishes; empty when
      neither does.
    - That of the front proxy where the project has one of its own.
  returned: success
  type: str
  version_added: 0.2.0
  sample: http://127.0.0.1:8001
headers:
  description: The headers by which the site was asked there in the last deploy; empty unless a front proxy told them.
  returned: success
  type: dict
  version_added: 0.2.0
  sample: {Host: example.org, X-Forwarded-Proto: https}
front_host:
  description: The name by which Traefik tells the site from others, as the labels of its service say.
  returned: where they name one
  type: str
  version_added: 0.2.0
  sample: example.org
ports:
  description:
    - Published ports of the project, of any service, that answered when what serves was deployed, and no longer do.
    - Not asked while a run is at work on the app or its maintenance page is shown.
  returned: success
  type: list
  elements: str
  version_added: 0.2.0
  sample: []
serves:
  description:
    - The commits that the site's running containers have; empty when none runs, with an empty text among them for one
      that is not known.
  returned: success
  type: list
  elements: str
  version_added: 0.2.0
  sample: [8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112]
checkout:
  description: The commit of the checkout and its locally modified files; empty when it can't be read.
  returned: success
  type: dict
  sample: {commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, subject: A new front page, dirty: []}
deployer:
  description:
    - The deployer that is at work on the app, for whom and since when, and what it does just now (C(standing)); empty
      when none is.
  returned: success
  type: dict
  version_added: 0.2.0
  sample:
    id: 5a1c4f5b0f6e4b0c8d7e6f5a4b3c2d1e
    who: rohit@laptop
    address: 203.0.113.5
    purpose: deploy
    since: '2026-01-31T10:00:00Z'
    standing: {step: build, seconds: 52.1, usual: 70.2, event: '[web 4/9] RUN pip install'}
proxy:
  description: The proxy's running containers, and whether visitors get its maintenance page.
  returned: success
  type: dict
  version_added: 0.2.0
  sample: {containers: [junojobs-juno-edge-1], maintenance: false}
summary:
  description: The status as lines for a person.
  returned: success
  type: list
  elements: str
  sample: ['All agree: release 7 serves']
history:
  description: The newest releases as lines of aligned columns, with the seconds from their start to their end.
  returned: success
  type: list
  elements: str
  sample: ['release  what    strategy  outcome  commit', '      7  deploy  rolling   done     8f5d0b1c2a3e']
logs:
  description:
    - The last lines of each of the app's containers, stopped ones too, and what came within O(log_follow_seconds).
    - Empty without O(log_lines) and O(log_follow_seconds).
  returned: success
  type: list
  elements: dict
  sample: [{container: junojobs-web-1, status: Up 3 hours, text: 'Listening at: http://0.0.0.0:8000'}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import worker_services
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run
from ansible_collections.juno.deploy.plugins.module_utils._status import survey


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Look."""
    params = module.params
    question = survey.Question(params["history_length"], params["log_lines"], params["log_follow_seconds"])
    app = worker_services.known(run_command, app_app.from_params(params))
    return {"changed": False, **survey.survey(run_command, app, question)}


def main() -> None:
    """Run the module."""
    spec = {
        **options.APP,
        "history_length": {"type": "int", "default": 20},
        "log_lines": {"type": "int", "default": 0},
        "log_follow_seconds": {"type": "int", "default": 0},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
