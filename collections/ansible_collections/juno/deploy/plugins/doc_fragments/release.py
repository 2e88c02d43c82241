# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say what a release is to be, beside those of its groups."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(RELEASE) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  purpose:
    description:
      - What is brought into service. V(deploy) fetches the newest commit, V(rollback) takes an earlier release,
        V(restart) what serves already.
    type: str
    choices: [deploy, rollback, restart]
    default: deploy
  release:
    description:
      - For O(purpose=rollback), the number of the release to go back to; 0 takes the newest good one of another
        commit that was not rolled back from.
    type: int
    default: 0
  pages:
    description:
      - The pages by which a release is verified, as for M(juno.deploy.freshness_check). The new code must show them
        before visitors get it; the first of them is what is asked for to learn whether the site answers.
    default: []
  headers:
    description:
      - Headers of all requests, for example C(Host).
    type: dict
    default: {}
  boot_timeout_seconds:
    description:
      - How long a container may take to start, and the site to answer, in seconds.
    type: int
    default: 120
  recollect:
    description:
      - With O(purpose=restart), collect all static files from scratch first, with the code that serves.
    type: bool
    default: false
  probe_rate:
    description:
      - How many requests per second the availability probe makes at the site's front door until the release is
        recorded; 0 makes none.
    type: float
    default: 0
  probe_paths:
    description:
      - The paths it asks for, in turn. Without them those of O(pages).
    type: list
    elements: str
    default: []
  site_url:
    description:
      - The site's address as visitors know it, for the report.
    type: str
    default: ''
  host_name:
    description:
      - The host's name in the inventory, for the report.
    type: str
    default: ''
  notices:
    description:
      - Sentences that the plan shows, too.
    type: list
    elements: str
    default: []
  registry_logins:
    description:
      - Logins of private registries, for the images that are pulled, asked for, and built upon. They are there as long
        as the release is at work, in a configuration of docker that the deployer's user alone can read, and come before
        those of C(docker login).
    type: list
    elements: dict
    default: []
    suboptions:
      registry:
        description:
          - The registry's host, and its port where it has one, as images name it, for example C(ghcr.io). That of
            Docker Hub is C(docker.io).
        type: str
        required: true
      username:
        description:
          - User to log in as.
        type: str
        required: true
      password:
        description:
          - Password or token of O(registry_logins[].username). It is never printed.
        type: str
        required: true
"""
