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
  - "Safe under traffic: Django collects into a staging directory, and only what differs in content is brought into the
    static root, each file whole: new names first, then replaced files, the manifest last. A run that fails leaves the
    static root as it was."
  - Compares by content. So a file that was only touched is no change, a missing file that comes back is one, and after
    a rollback the older files are in place although they have older times.
  - When neither the sources, the code and settings that collect, nor the files in the static root differ from what the
    last run left, Django's command is not run at all.
  - When some sources differ, Django's command finds only these, and the files whose references lead to them (style
    sheets, source maps, modules of JavaScript). What the last complete run made of the others stays as it is. The
    manifest and all files come out as a full run makes them; where that is in doubt, it is a full run, and
    RV(incremental_why) says why.
  - A storage that is not a directory (S3 and others of django-storages) gets what differs in content from what is
    there, in the same order; nothing is removed from it. Where its manifest is kept elsewhere, or files are processed
    in a way of the app's own, it is left to Django, and has changed when the hash of its manifest has, or without a
    manifest when files were copied or deleted.
  - When Django fails, its error is passed on in full, and the message names the file at fault.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.django
  - juno.deploy.compose.engine
  - juno.deploy.retention
attributes:
  check_mode:
    support: full
    details:
      - Collects into a temporary directory, compares it with the static root, and removes it. So it is exact, and finds
        what would fail.
      - Without staging, it uses C(collectstatic --dry-run), which compares times only.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - Without staging, a storage without a manifest deletes and copies in each run with O(clear=true), which counts as
        a change.
  platform:
    support: full
    platforms: posix
options:
  clear:
    description:
      - Remove every file from the static root that this run does not make, once the new ones are in place. That breaks
        no page that is rendered from then on, but pages that browsers and caches still hold; O(prune) spares them.
      - Without staging, all files are removed first, which breaks pages for as long as the command runs.
    type: bool
    default: false
  staging:
    description:
      - Collect into a directory beside the static root first. Where the static root is a volume of its own, that is the
        directory for temporary files, which then must have room for all static files.
      - With V(false), Django collects right into the static root, as its own command does. That is needed where a style
        sheet names a file that only the static root has.
    type: bool
    default: true
  force:
    description:
      - Run Django's command for all sources, even when nothing differs from what the last run left.
    type: bool
    default: false
  prune:
    description:
      - Remove files of earlier releases, with their compressed ones (C(.gz), C(.br), C(.zst)).
      - What stays is named by the manifest of one of the newest O(keep_releases) releases, or by one that was replaced
        less than O(html_max_age) ago or after the oldest process of the app started. Files that were put there by
        others stay too.
      - Needs a storage with a manifest. Earlier manifests are remembered in the directory C(.juno) of the static root,
        from the first run of this module on.
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
  - Where the service has several containers, they are expected to share the static root. Of the others, O(prune) asks
    when they were made, not when their processes started.
  - WhiteNoise lists the static root when a worker starts, and answers with the status 500 for a file that is gone.
    So use O(prune) right before the workers are restarted. Workers that are forked from a process which has listed
    the files before (C(--preload)) know those of that time.
  - Keeps two files in the directory C(.juno) of the static root, which only their owner can read. They say what the
    last run left, what the sources were, which file names which, and what earlier manifests named. They take 150 bytes
    for each source. The directory may go at any time. Then the next run is a full one, and O(prune) knows no earlier
    manifest.
  - Where the static root is a volume, a file that is replaced has another name for a few microseconds. New files and
    the module's own never do.
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

- name: See which files of earlier releases can go, and how large they are
  juno.deploy.django_collectstatic:
    project: junojobs
    service: web
    prune: true
    html_max_age: 86400
  check_mode: true
  diff: true
"""

RETURN = r"""
actions:
  description: What was done, or would be. Empty when Django's command was not needed.
  returned: success
  type: list
  elements: dict
  sample: [{"what": "collectstatic", "id": "/code/staticfiles", "status": "done"}]
copied:
  description:
    - Number of source files that are new in the static root or have other content there. What Django says in RV(stdout)
      is about the staging directory, where each file is new.
  returned: success
  type: int
  sample: 10
unmodified:
  description: Number of source files that were up to date.
  returned: success
  type: int
  sample: 1790
post_processed:
  description:
    - Number of files that the storage hashed or compressed, by Django's own count. With RV(incremental=true), and with
      RV(fingerprint=same), that is of those that were processed.
  returned: success
  type: int
  sample: 5300
deleted:
  description: Number of files that O(clear=true) removed.
  returned: success
  type: int
  sample: 0
conflicts:
  description:
    - Number of files that were left out because an earlier one has the same path. 0 with RV(incremental=true), and with
      RV(fingerprint=same).
  returned: success
  type: int
  sample: 0
added:
  description: Number of file names in the static root that were not there before. 0 for a storage that is not local.
  returned: success
  type: int
  sample: 21
removed:
  description: Number of file names in the static root that are gone, beside the pruned ones. 0 where it is not local.
  returned: success
  type: int
  sample: 0
replaced:
  description: Number of files in the static root that have other content now, the manifest included.
  returned: when the files were staged
  type: int
  sample: 2
replaced_names:
  description:
    - Names that the manifest had for files and has no more, which pages that were made before may name; null when there
      are more than 500 of them.
  returned: success
  type: list
  elements: str
  sample: [css/site.3c0fb1d2a9e7.css]
staged:
  description: Whether a staging directory was used.
  returned: success
  type: bool
  sample: true
why:
  description: Why none was used.
  returned: success
  type: str
  sample: config.storage.Files keeps its manifest elsewhere; left to Django
place:
  description: Where a storage that is not a directory keeps its files, in words.
  returned: when the storage is none, and the files were staged
  type: str
  sample: the bucket 'shop'
fingerprint:
  description:
    - V(same) when nothing differed from what the last run left, so that Django's command was not run.
    - Else why it was.
  returned: success
  type: str
  sample: same
incremental:
  description: Whether only sources that differ from those of the last run, and those that lead to them, were processed.
  returned: success
  type: bool
  sample: true
incremental_why:
  description: Why all sources were processed. Empty when they were not.
  returned: success
  type: str
  sample: the code or the settings that collect have changed
pruned:
  description: The first 200 files that O(prune) removed, or would.
  returned: success
  type: list
  elements: dict
  sample: [{"path": "css/site.3c0fb1d2a9e7.css", "bytes": 48211}]
pruned_count:
  description: Number of files that O(prune) removed, or would.
  returned: success
  type: int
  sample: 3
pruned_bytes:
  description: Their size.
  returned: success
  type: int
  sample: 61007
unknown:
  description: Number of files that no remembered manifest named and that O(prune) left alone.
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
  returned: success
  type: list
  elements: str
  sample: [python, manage.py, collectstatic, --noinput, --verbosity=1]
rc:
  description: The command's return code.
  returned: success
  type: int
  sample: 0
stdout:
  description: All that the command printed.
  returned: success
  type: str
  sample: 10 static files copied to '/code/staticfiles', 30 post-processed.
stderr:
  description: All that the command printed as errors.
  returned: success
  type: str
  sample: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Collect, or let Django say what it would collect."""
    if module.params["timeout_seconds"] <= 0:
        raise BadInputError(f"timeout_seconds is {module.params['timeout_seconds']}: give a number above 0.")
    for name, least in (("keep_releases", 1), ("html_max_age", 0)):
        if module.params[name] < least:
            raise BadInputError(f"{name} is {module.params[name]}: give a number of at least {least}.")
    place = runner.places(module.params)[0]
    started = collectstatic.made_elsewhere(module.params) if module.params["prune"] else None
    return collectstatic.collect(
        place, module.params, dry_run=module.check_mode, with_diff=bool(module._diff), started=started
    )


def main() -> None:
    """Run the module."""
    run(
        AnsibleModule(
            argument_spec={**options.DJANGO, **options.COLLECTSTATIC},
            supports_check_mode=True,
            **runner.RULES,
        ),
        work,
    )


if __name__ == "__main__":
    main()
