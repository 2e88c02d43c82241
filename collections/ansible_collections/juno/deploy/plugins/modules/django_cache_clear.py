#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Clear a Django app's caches and say what that did."""

from __future__ import annotations

DOCUMENTATION = r"""
module: django_cache_clear
short_description: Clear a Django app's caches and say what that did
version_added: 0.1.0
description:
  - Clears the caches that a Django app's own settings name, whatever their backends, without touching the app's code.
  - The app's settings are read where the app runs, in a compose container or in a virtual environment on the managed
    host. memcached servers are then flushed one by one from the host, and the flush is verified. Other backends are
    cleared by the app's own code, and an entry that was stored before has to be gone afterwards.
  - Never says that a cache was cleared when it was not. C(LocMemCache) lives in the workers, so only their restart
    clears it. C(DummyCache) caches nothing, and where C(DEBUG) seems to be on by mistake the message says so.
  - Several Redis servers behind one cache (replicas, Sentinel, a cluster) count as cleared when all that are read from
    have followed.
  - Results of queries that cacheops keeps in a Redis database of its own choice are deleted there, and nothing else;
    its alias is V(cacheops). Those of cachalot lie in one of the caches.
  - All caches are tried before the module fails.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.django
  - juno.deploy.compose.engine
  - juno.deploy.cache_policy
attributes:
  check_mode:
    support: full
    details:
      - Lists the caches. With O(command) it also sees that the app has that command.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - A shared cache is cleared in each run.
  platform:
    support: full
    platforms: posix
options:
  alias:
    description:
      - Aliases of the caches to clear. Without it, or with an empty list, all are cleared.
    type: list
    elements: str
  command:
    description:
      - Name of the app's own management command that clears its caches. It is run in place of the module's own way.
    type: str
  command_arguments:
    description:
      - Arguments for O(command).
    type: list
    elements: str
    default: []
  fail_if_uncleared:
    description:
      - Fail also when a cache has nothing that could be cleared from here (C(LocMemCache), C(DummyCache)).
      - Without it the result and its message say so, and the run goes on.
    type: bool
    default: false
  naming:
    description:
      - Names, one of which an entry must hold to go, for example those of static files that were replaced. Without them
        all entries go.
      - Only entries that memcached lists and the managed host reaches are looked into; of other caches all goes. An
        entry that is compressed counts as holding a name. Not with O(mode=flush).
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  state_root:
    description:
      - Directory of the journals of releases. Where it is given, also entries go that other releases of O(project) have
        cached under their own C(VERSION), as the journal knows it; else only those under the C(VERSION) that runs.
    type: path
    version_added: 0.2.0
  timeout_seconds:
    description:
      - How long to wait for a cache server. A server that is silent for longer counts as not cleared.
      - With O(command), the command is ended when it takes a minute longer than twice this time.
    type: int
    default: 10
requirements:
  - pymemcache on the managed host (package C(python3-pymemcache)) when the app uses memcached
seealso:
  - module: juno.deploy.memcached_flush
  - module: juno.deploy.django_collectstatic
notes:
  - A flush ignores key prefix and version. Whatever shares the server, the database number or the table goes too, also
    sessions. RV(sessions_lost) tells when the app's own sessions do.
  - A browser or CDN keeps a page that was sent with C(Cache-Control), and nothing on the server calls it back.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Clear all caches of the site
  juno.deploy.django_cache_clear:
    project: junojobs
    service: web

- name: Clear one cache of a site on the host, and insist that it is a shared one
  juno.deploy.django_cache_clear:
    chdir: /srv/shop
    virtualenv: /srv/shop/venv
    alias: pages
    fail_if_uncleared: true

- name: Clear by the app's own command
  juno.deploy.django_cache_clear:
    project: junojobs
    service: web
    command: clear_all_caches
"""

RETURN = r"""
actions:
  description: What was done, or would be, for each cache.
  returned: always
  type: list
  elements: dict
  sample: [{"what": "cache", "id": "default", "status": "cleared"}]
caches:
  description: What came of each cache.
  returned: always
  type: list
  elements: dict
  sample:
    - alias: default
      backend: django.core.cache.backends.memcached.PyMemcacheCache
      family: memcached
      locations: ["memcached:11211"]
      key_prefix: ""
      version: "1"
      shared_with: []
      status: cleared
      changed: true
      verified: true
      how: flush_all from the host, and no old key is left
      message: Cleared.
      milliseconds: 14
  contains:
    alias:
      description: Name of the cache in the settings.
      type: str
    backend:
      description: Class of the backend.
      type: str
    family:
      description:
        - One of V(memcached), V(redis), V(database), V(filebased), V(locmem), V(dummy), V(other).
        - V(cacheops) for the results of queries that cacheops keeps, which is none of C(CACHES).
      type: str
    locations:
      description: Where the entries lie, without passwords.
      type: list
      elements: str
    key_prefix:
      description: Prefix of the keys.
      type: str
    version:
      description: Version of the keys.
      type: str
    shared_with:
      description: Other aliases whose entries lie in the same place and go with it.
      type: list
      elements: str
    selective:
      description: Whether single entries of the app were deleted (or would be), and nothing else.
      type: bool
    status:
      description:
        - One of V(cleared), V(would_clear), V(needs_restart), V(nothing_cached), V(left_to_command), V(failed).
      type: str
    changed:
      description: Whether anything of it was cleared (or would be). Can be true for V(failed), when some servers were.
      type: bool
    verified:
      description: Whether it was seen that no old entry is left.
      type: bool
    how:
      description: How it was cleared, and what was looked at afterwards.
      type: str
    message:
      description: What it means, and what to do.
      type: str
    milliseconds:
      description: How long clearing took.
      type: int
sessions_lost:
  description: Whether the app's sessions were in what was cleared (or would be), so that everyone is logged out.
  returned: always
  type: bool
  sample: false
msg:
  description: What came of all caches, in words.
  returned: always
  type: str
  sample: "Cleared: default; not cleared: local (LocMemCache keeps its entries in the memory of each worker...)."
cmd:
  description: The command, as a person would type it.
  returned: when O(command) was run
  type: list
  elements: str
  sample: [python, manage.py, clear_all_caches]
rc:
  description: The command's return code.
  returned: when O(command) was run
  type: int
  sample: 0
stdout:
  description: All that the command printed.
  returned: when O(command) was run
  type: str
  sample: Cleared 2 caches.
stderr:
  description: All that the command printed as errors.
  returned: when O(command) was run
  type: str
  sample: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._cache import django_caches
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Clear the caches, or list them in check mode."""
    if module.params["timeout_seconds"] <= 0:
        raise BadInputError(f"timeout_seconds is {module.params['timeout_seconds']}: give a number above 0.")
    places = runner.places(module.params)
    if module.params["command"]:
        return django_caches.run_command(places[0], module.params, check_mode=module.check_mode)
    return django_caches.clear(places, module.params, check_mode=module.check_mode)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**options.DJANGO, **options.CACHE_CLEAR},
        supports_check_mode=True,
        required_together=runner.RULES["required_together"],
        mutually_exclusive=[*runner.RULES["mutually_exclusive"], ("alias", "command")],
    )
    run(module, work)


if __name__ == "__main__":
    main()
