# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that a plan is made from."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(PLAN) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  files:
    description:
      - A folder on the controller whose files are deployed, in place of the commits of a git server; absolute, or from
        the folder of the inventory or of the playbook. O(path) becomes a checkout of them. Only a deploy reads it.
      - C(.git), and what C(.gitignore) files in it name, is not brought.
    type: str
    default: ''
    version_added: 0.2.0
  remote:
    description:
      - The git remote that the branch is fetched from.
    type: str
    default: origin
  branch:
    description:
      - The branch whose newest commit is to be deployed.
    type: str
    default: main
  fetch_timeout_seconds:
    description:
      - How long the git server may take.
    type: int
    default: 60
  always_build:
    description:
      - Plan a full deploy, with a build of the images, whatever has changed.
      - Without it, only what the changed files need is planned.
    type: bool
    default: false
  force:
    description:
      - Plan a deploy even if the commit serves already, or nothing changed that the site reads.
    type: bool
    default: false
  strategy:
    description:
      - How traffic is to move to the new release.
    type: str
    choices: [rolling, reload, recreate]
    default: rolling
  collectstatic:
    description:
      - Whether static files are to be collected before the switch. V(auto) does it where a static file has changed, but
        not where the app's own command does it as its container starts.
    type: str
    choices: [auto, always, never]
    default: auto
  cache_version_variable:
    description:
      - The environment variable from which the app's settings may take the C(VERSION) of their caches. Each release
        gets a number of its own in it, where the settings honour it.
      - Empty for releases without one.
    type: str
    default: ''
  rules:
    description:
      - What a change of certain files needs, before the rules that the plan has by itself. Each rule has C(files), a
        pattern, and C(steps), a list of V(build), V(frontend), V(translate), V(collect), V(migrate), V(workers),
        V(clear), V(clear_naming), empty for files whose change needs nothing. The first that fits decides.
      - A pattern without a slash is for a file's own name, in any folder. One with a slash, also at its beginning, is
        for the path from the top of the checkout. C(*) and C(?) stay within a folder, C(**/) is any number of folders,
        C(/**) all that lies below.
      - A file that no rule fits needs every step, since it is not known what reads it.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
  own_frontend:
    description:
      - The app has a command of its own that builds its front-end in the checkout, so that a change of its sources
        needs no new image.
    type: bool
    default: false
    version_added: 0.2.0
  update_services:
    description:
      - Other services of the project that are to be replaced where something about them has changed. The plan says what
        has changed about the others, too, which are not touched.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  reverse_migrations:
    description:
      - A rollback is to reverse the migrations that came after the release. Then each must be reversible, and those
        by which data are lost are named.
    type: bool
    default: false
    version_added: 0.2.0
  base_url:
    description:
      - The site's address as the managed host reaches it, for example V(http://127.0.0.1:8001).
      - Without it the first fixed port is taken that a front proxy of the project publishes, else that of O(service).
        Where there is none either, it is refused before anything is done.
    type: str
    default: ''
    version_added: 0.2.0
"""
