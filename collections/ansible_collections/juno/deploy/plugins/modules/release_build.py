#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build a release's images from a clean checkout and check that its code can start."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_build
short_description: Build a release from a clean checkout and check that it can start
version_added: 0.1.0
description:
  - Checks the commit out into a directory of its own and builds the images of all services that are built, from there.
    The app's own directory, its containers and the images they run are not touched.
  - Then runs the new code in one throwaway container, so that code that can't start never serves. That runs
    O(check_command), lists the migrations, and asks the WSGI application for O(probe_path).
  - Where the database is a SQLite file in a directory of the host, the container works on a copy, and pending
    migrations are tried on that copy. Any other database is only asked which migrations it has; when some are pending
    there, no page is asked for. Migrations are those of the database V(default), as with C(manage.py migrate).
  - The page is made with caches and mails that go nowhere, and without a manifest of static files.
  - Of an app whose settings are not found by its C(manage.py) or C(DJANGO_SETTINGS_MODULE) nothing but
    O(check_command) is asked; RV(unlooked) says so.
  - A release's image is tagged V(juno-) and the commit's first twelve letters, beside the name that compose uses.
  - Files that git does not track are not in a clean checkout, so they are not in the image either.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - It builds each time; layers that have not changed come from the Engine's build cache.
  platform:
    support: full
    platforms: posix
options:
  commit:
    description:
      - The full commit that is released.
    type: str
    required: true
  build:
    description:
      - Build images. When V(false), the new code is only checked, mounted into the image that serves.
    type: bool
    default: true
  check_command:
    description:
      - The command, as a list of words, that tells whether the code can start.
      - An empty list leaves the throwaway container out, and with it all that is looked at there; static files are
        collected nevertheless.
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
      - How long O(check_command) may take, and as long everything else that is asked of the new code.
    type: int
    default: 120
  probe_path:
    description:
      - The page, with its query, that the WSGI application is asked for. Any status below 500 is right.
      - Nothing is asked when it is empty.
    type: str
    default: /
    version_added: 0.2.0
  headers:
    description:
      - Headers of that request, for example C(Host). Without it the first of C(ALLOWED_HOSTS) is used.
    type: dict
    default: {}
    version_added: 0.2.0
  pages:
    description:
      - Pages that the WSGI application must show, as for M(juno.deploy.freshness_check), with their status and texts.
      - For a reload, where no new container can be asked before visitors are. Asked only where O(probe_path) can be.
      - The host is then that of O(headers), else that of the site's address on the managed host.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
  base_url:
    description:
      - The site's address as the managed host reaches it. Without it the first fixed port tells it that O(service)
        publishes by the commit's own compose file. Where there is none either, nothing is built.
    type: str
    default: ''
    version_added: 0.2.0
  collect:
    description:
      - Collect static files with the new code into the root that serves, when all else is right.
    type: bool
    default: false
    version_added: 0.2.0
  frontend:
    description:
      - The app's own command, as a list of words, that builds its front-end (Tailwind, say). It is run in a throwaway
        container, in the clean checkout, before the code is checked and static files are collected.
      - What it makes and git does not track is kept as long as the release, and M(juno.deploy.release_switch) puts it
        into the app's checkout.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  translate:
    description:
      - Compile the app's translations (C(manage.py compilemessages)) whose compiled form is not in git. What is made is
        kept as that of O(frontend) is.
    type: bool
    default: false
    version_added: 0.2.0
  epoch:
    description:
      - The epoch that the release is to have, as RV(juno.deploy.release_begin#module:epoch) gives it. The throwaway
        container gets it into its environment, and RV(epoch) says whether the settings honour it.
    type: dict
    default: {}
    version_added: 0.2.0
  boot_timeout_seconds:
    description:
      - How long each service that the app depends on may take to start, in seconds. Those that have never run are
        started before the check, as C(depends_on) in the compose file wants it, since the new code is asked with them.
    type: int
    default: 120
    version_added: 0.2.0
  update_services:
    description:
      - Other services of the project whose images are built or pulled, so that M(juno.deploy.release_switch) can
        replace them.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Build the release
  juno.deploy.release_build:
    path: /root/JunoJobs
    project: junojobs
    commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
  register: built
"""

RETURN = r"""
images:
  description: The release's image for each service that was built.
  returned: success
  type: dict
  sample: {web: 'junojobs-web:juno-1f5d0b1c2a3e'}
checked:
  description: The last line that O(check_command) printed.
  returned: success
  type: str
  sample: System check identified no issues (0 silenced).
build_seconds:
  description: How long the build took.
  returned: success
  type: float
  sample: 7.4
check_seconds:
  description: How long the throwaway container took.
  returned: success
  type: float
  sample: 1.2
migrations:
  description:
    - The migrations of the database V(default).
    - RV(migrations.pending) and RV(migrations.applied) are empty when RV(migrations.why) says that they are not known.
  returned: success
  type: dict
  contains:
    pending:
      description: Those that the code has and the database has not, in the order in which they are applied.
      type: list
      elements: dict
      sample: [{app: jobs, name: 0003_job_level, reversible: true, atomic: true}]
    applied:
      description: Those that the database has.
      type: list
      elements: str
      sample: [jobs.0001_initial, jobs.0002_first_jobs]
    tried:
      description: Whether the pending ones were applied to a copy of the database.
      type: bool
    database:
      description:
        - The database V(default). C(file) says whether it is a file, C(host_path) where on the managed host.
      type: dict
      sample: {alias: default, vendor: sqlite3, file: true, where: checkout, host_path: /root/JunoJobs/db.sqlite3}
    databases:
      description: All databases, in the form of RV(migrations.database).
      type: list
      elements: dict
    why:
      description: Why they were not listed or not tried.
      type: str
requested:
  description: The page that was asked for, its status, and where that is 0 the reason why none was.
  returned: success
  type: dict
  sample: {path: /, status: 200, why: ''}
static:
  description: What O(collect) changed; empty without it.
  returned: success
  type: dict
  sample: {static_root: /code/staticfiles, added: 3, removed: 0, manifest_hash_after: 1f2a0c9d7e44, why: ''}
generated:
  description: Files that O(frontend) and O(translate) made, from the top of the checkout.
  returned: success
  type: list
  elements: str
  version_added: 0.2.0
  sample: [static/css/tailwind.css]
by_hand:
  description:
    - Static files that lie in the app's own checkout and that git does not have. They are collected like those of the
      commit; at most 20 are named.
  returned: success
  type: list
  elements: str
  version_added: 0.2.0
  sample: [static/css/output.css]
links_left_out:
  description:
    - Links among the static files that git does not have. They are not collected, since the app's own code may have put
      them there, and what they lead to on the host would be published; at most 20 are named.
  returned: success
  type: list
  elements: str
  version_added: 0.2.0
  sample: [static/uploads]
layout:
  description: Where the settings find apps, templates, static files and translations, from the top of the checkout.
  returned: success
  type: dict
  version_added: 0.2.0
  sample: {apps: [jobs], templates: [templates], static: [static], locale: []}
epoch:
  description:
    - O(epoch) as the release can have it. C(value) is 0 where the settings don't honour it, and C(why) says so.
    - C(others) are the caches whose keys don't carry it.
  returned: success
  type: dict
  sample: {value: 1769853600, variable: CACHE_VERSION, others: [], why: ''}
not_pulled:
  description: The images of O(update_services) that could not be pulled and are here already, a sentence each.
  returned: success
  type: list
  elements: str
  sample: []
unlooked:
  description: What could not be looked at before the switch, a sentence each.
  returned: success
  type: list
  elements: str
  sample: []
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: image, id: 'junojobs-web:juno-1f5d0b1c2a3e', status: built}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _ahead, _app, _epoch, _release
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Build and check."""
    order = _release.BuildOrder(
        commit=module.params["commit"],
        build=module.params["build"],
        check_command=tuple(module.params["check_command"]),
        build_timeout_seconds=module.params["build_timeout_seconds"],
        check_timeout_seconds=module.params["check_timeout_seconds"],
        collect=module.params["collect"],
        frontend=tuple(module.params["frontend"]),
        translate=module.params["translate"],
        probe_path=module.params["probe_path"],
        headers=module.params["headers"],
        pages=tuple(module.params["pages"]),
        base_url=module.params["base_url"],
        epoch=_epoch.read(module.params["epoch"]),
        boot_timeout_seconds=module.params["boot_timeout_seconds"],
        update_services=tuple(module.params["update_services"]),
    )
    return _ahead.take(run_command, _app.from_params(module.params), order, dry=module.check_mode)


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "commit": {"type": "str", "required": True},
        **_release.BUILD_OPTIONS,
        "build": {"type": "bool", "default": True},
        "collect": {"type": "bool", "default": False},
        "translate": {"type": "bool", "default": False},
        "epoch": {"type": "dict", "default": {}},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
