#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Collect a Django app's static files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: django_collectstatic
short_description: Collect a Django app's static files
version_added: 0.1.0
description:
  - Runs Django's C(collectstatic) in the container of a compose service, or in a virtual environment on the managed
    host.
  - Tells a change by the hash of the storage's manifest and by the names of the files in the static root, not by the
    command's words. So a file that was only touched is no change, and a missing file that comes back is one.
  - A storage without a manifest has changed when files were copied or deleted.
  - When Django fails, its error is passed on in full, and the message names the file at fault.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.django
attributes:
  check_mode:
    support: full
    details:
      - Uses C(collectstatic --dry-run), which compares times only. So it predicts a change for files that were touched,
        with O(clear=true), and on every run where the storage removes unhashed files
        (C(WHITENOISE_KEEP_ONLY_HASHED_FILES)).
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(clear=true) and a storage without a manifest each run deletes and copies, which counts as a change.
  platform:
    support: full
    platforms: posix
options:
  clear:
    description:
      - Remove all files from the static root first.
      - Breaks pages for as long as the command runs, so don't use it on a site that has visitors.
    type: bool
    default: false
  link:
    description:
      - Make symbolic links instead of copies.
    type: bool
    default: false
  ignore:
    description:
      - Glob patterns of files that are not collected, for example V(*.scss).
    type: list
    elements: str
    default: []
  timeout_seconds:
    description:
      - The command is ended when it takes longer.
    type: int
    default: 600
seealso:
  - module: juno.deploy.django_cache_clear
  - module: community.general.django_manage
  - name: Django's collectstatic
    description: What the command does.
    link: https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#collectstatic
notes:
  - Where the service has several containers, they are expected to share the static root.
  - Collecting is not atomic. Visitors can meet a file that is just being written.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Collect the static files in the web container
  juno.deploy.django_collectstatic:
    project: junojobs
    service: web

- name: Collect the static files of a site on the host
  juno.deploy.django_collectstatic:
    chdir: /srv/shop
    virtualenv: /srv/shop/venv
    settings: shop.settings.production
    ignore:
      - "*.scss"
"""

RETURN = r"""
actions:
  description: What was done, or would be.
  returned: success
  type: list
  elements: dict
  sample: [{"what": "collectstatic", "id": "/code/staticfiles", "status": "done"}]
copied:
  description: Number of files that were copied (or linked).
  returned: success
  type: int
  sample: 10
unmodified:
  description: Number of files that were up to date.
  returned: success
  type: int
  sample: 1790
post_processed:
  description: Number of files that the storage hashed or compressed. It does so in every run.
  returned: success
  type: int
  sample: 5300
deleted:
  description: Number of files that O(clear=true) removed.
  returned: success
  type: int
  sample: 0
conflicts:
  description: Number of files that were left out because an earlier one has the same path.
  returned: success
  type: int
  sample: 0
added:
  description: Number of file names in the static root that were not there before. 0 for a storage that is not local.
  returned: success
  type: int
  sample: 21
removed:
  description: Number of file names in the static root that are gone. 0 for a storage that is not local.
  returned: success
  type: int
  sample: 0
manifest_hash_before:
  description: Hash of the storage's manifest before. Null when there was none.
  returned: success
  type: str
  sample: 3c0fb1d2a9e7
manifest_hash_after:
  description: Hash of the storage's manifest afterwards. Null when the storage writes none.
  returned: success
  type: str
  sample: 88bd0ae4c2f1
static_root:
  description: The directory that was collected into. Null for a storage that is not local.
  returned: success
  type: str
  sample: /code/staticfiles
storage:
  description: Class of the storage.
  returned: success
  type: str
  sample: whitenoise.storage.CompressedManifestStaticFilesStorage
cmd:
  description: The command, as a person would type it.
  returned: when the command was run
  type: list
  elements: str
  sample: [python, manage.py, collectstatic, --noinput, --verbosity=1]
rc:
  description: The command's return code.
  returned: when the command was run
  type: int
  sample: 0
stdout:
  description: All that the command printed.
  returned: when the command was run
  type: str
  sample: 10 static files copied to '/code/staticfiles', 30 post-processed.
stderr:
  description: All that the command printed as errors.
  returned: when the command was run
  type: str
  sample: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _django, _staticfiles
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Collect, or let Django say what it would collect."""
    if module.params["timeout_seconds"] <= 0:
        raise BadInputError(f"timeout_seconds is {module.params['timeout_seconds']}: give a number above 0.")
    place = _django.places(module.params)[0]
    return _staticfiles.collect(place, module.params, dry_run=module.check_mode, with_diff=bool(module._diff))


def main() -> None:
    """Run the module."""
    run(
        AnsibleModule(
            argument_spec={
                **_django.ARGUMENTS,
                "clear": {"type": "bool", "default": False},
                "link": {"type": "bool", "default": False},
                "ignore": {"type": "list", "elements": "str", "default": []},
                "timeout_seconds": {"type": "int", "default": 600},
            },
            supports_check_mode=True,
            **_django.RULES,
        ),
        work,
    )


if __name__ == "__main__":
    main()
