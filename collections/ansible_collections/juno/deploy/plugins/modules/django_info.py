#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Say what a live Django app's settings come to, where they decide about caches and deploys."""

from __future__ import annotations

DOCUMENTATION = r"""
module: django_info
short_description: Say what a live Django app's settings come to, where they decide about caches and deploys
version_added: 0.1.0
description:
  - Asks the app itself, in its container or virtual environment, with the interpreter and the environment of the
    process that serves. So it tells what counts there, whatever the settings file seems to say.
  - Looks at the server's processes, and asks the server for pages, to see what its answers really carry.
  - Tells what it finds wrong, one sentence each with what to do.
  - What can't be told (an app that can't be imported, a cache whose library is missing, a page that isn't answered) is
    in RV(errors) and has an error text in its place. The rest is told all the same. The module fails only where the app
    or its settings can't be had at all.
  - Never tells a secret. Options are told by name, and passwords, keys and tokens from settings and environment are
    taken out of locations and error texts.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.django
  - juno.deploy.compose.engine
  - juno.deploy.forwarded
  - juno.deploy.check_headers
attributes:
  check_mode:
    support: full
    details:
      - It only reads, so check mode makes no difference.
  diff_mode:
    support: none
    details:
      - Changes nothing.
  idempotent:
    support: full
  platform:
    platforms: posix
    support: full
options:
  paths:
    description:
      - Paths to ask the server for, at most 20. Each is asked for once, directly at the container, as a visitor without
        cookies would.
    type: list
    elements: str
    default: [/]
  host_header:
    description:
      - The site's name for the C(Host) header, so that Django's C(ALLOWED_HOSTS) is satisfied.
      - Without it the first name in C(ALLOWED_HOSTS) is sent, or V(localhost).
    type: str
  forwarded_proto:
    description:
      - Value for the C(X-Forwarded-Proto) header. V(https) keeps a site that trusts this header from redirecting.
      - Without it V(https) is sent where the settings redirect to https and trust this header.
  port:
    description:
      - The port that the app listens at, in its container.
      - Without it the one that the server is seen to listen at is asked, or else the only one that is exposed.
    type: int
  cache_version_variable:
    description:
      - Environment variable that may give the caches their C(VERSION). To see whether it does, the settings are loaded
        a second time, by a process of its own with another value in it, which imports nothing else of the app.
      - With V('') this is left out.
    type: str
    default: CACHE_VERSION
  imports:
    description:
      - Import all apps and the URLconf as well, and middleware of the app's own, as the server did. It takes longer.
    type: bool
    default: true
  timeout_seconds:
    description:
      - How long the app's Python may take in all, and how long each page may take.
    type: int
    default: 20
seealso:
  - module: juno.deploy.django_cache_clear
  - module: juno.deploy.freshness_check
  - module: juno.deploy.memcached_info
notes:
  - No cache, database or session is opened. A page that is asked for is rendered, and kept in the page cache, as for
    any visitor.
  - The server's processes are looked at from the host. Their environment and sockets are readable for root, and for the
    user that they run as.
  - Of a service with several containers the first running one is asked.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Look at the app of a compose project
  juno.deploy.django_info:
    project: junojobs
    service: web
    paths: [/, /jobs/]
    host_header: juno.example.org
  register: app

- name: Show it
  ansible.builtin.debug:
    msg: "{{ app.msg }}"

- name: Stop if browsers keep a page longer than a minute
  ansible.builtin.assert:
    that: app.responses | selectattr('html') | map(attribute='kept_seconds') | max <= 60

- name: Look at an app on the host, without importing its apps
  juno.deploy.django_info:
    chdir: /srv/shop
    virtualenv: /srv/shop/venv
    imports: false
    paths: []
"""

RETURN = r"""
django:
  description: Version of Django.
  returned: success
  type: str
  sample: 5.2.19
python:
  description: Version of Python.
  returned: success
  type: str
  sample: 3.13.5
interpreter:
  description: The Python interpreter that was asked.
  returned: success
  type: str
  sample: /usr/local/bin/python
settings_module:
  description: The settings module.
  returned: success
  type: str
  sample: mysite.settings
debug:
  description: Whether DEBUG counts as true.
  returned: success
  type: bool
  sample: true
debug_text:
  description: The text that DEBUG is, where it is none of Python's booleans. Any text counts as true, also V(False).
  returned: success
  type: str
  sample: "False"
debug_variables:
  description: Names of environment variables that seem to switch DEBUG off.
  returned: success
  type: list
  elements: str
  sample: [DJANGO_DEBUG]
environment:
  description: Whose environment the app was asked in.
  returned: success
  type: dict
  sample: {read: true, error: "", settings_named: true}
  contains:
    read:
      description: Whether the environment of the server's process was read and used.
      type: bool
    error:
      description: Why it could not be read.
      type: str
    settings_named:
      description: Whether O(settings) or the environment names the settings module, so that C(manage.py) need not.
      type: bool
caches:
  description: The caches, by alias. A cache with an error has no values for its keys.
  returned: success
  type: list
  elements: dict
  sample:
    - alias: default
      backend: django.core.cache.backends.memcached.PyMemcacheCache
      family: memcached
      locations: ["memcached:11211"]
      options: []
      key_prefix: ""
      keys_begin_with: ":1:"
      key_example: ":1:x"
      key_function: ""
      key_error: ""
      version: "1"
      version_type: int
      timeout: 300
      error: ""
  contains:
    alias:
      description: Name in the settings.
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
      description: Where the entries lie, without users and passwords.
      type: list
      elements: str
    options:
      description: Names of its options.
      type: list
      elements: str
    key_prefix:
      description: Prefix in the settings.
      type: str
    keys_begin_with:
      description: What all its keys begin with. Null when its key function puts no prefix before them.
      type: str
    key_example:
      description: The key that it makes of V(x).
      type: str
    key_function:
      description: The key function, if it is not Django's.
      type: str
    key_error:
      description: Why its key function makes no key of V(x).
      type: str
    version:
      description: Version of its keys.
      type: str
    version_type:
      description: Python type of the version. V(str) is an error in the settings.
      type: str
    timeout:
      description: For how many seconds entries are kept when nothing else is said. Null for ever.
      type: float
    error:
      description: Why the cache can't be used.
      type: str
sessions:
  description: Where sessions live.
  returned: success
  type: dict
  sample: {engine: django.contrib.sessions.backends.db, alias: null, store: database, used: true, lost_by_flush: false,
           error: "", where: ""}
  contains:
    engine:
      description: The session engine.
      type: str
    alias:
      description: Alias of the cache that it uses.
      type: str
    store:
      description: One of V(database), V(cached_database), V(cache), V(files), V(cookies), V(other); empty if not known.
      type: str
    used:
      description: Whether the session middleware is in use.
      type: bool
    lost_by_flush:
      description: Whether a flush of that cache logs everyone out.
      type: bool
    error:
      description: Why it is not known.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
templates:
  description: The template engines.
  returned: success
  type: list
  elements: dict
  sample:
    - backend: django.template.backends.django.DjangoTemplates
      loaders: [django.template.loaders.cached.Loader, django.template.loaders.filesystem.Loader]
      cached: true
      error: ""
  contains:
    backend:
      description: Class of the engine.
      type: str
    loaders:
      description: Template loaders that Django takes, each before those that it wraps.
      type: list
      elements: str
    cached:
      description: Whether compiled templates stay in the memory of a worker until it ends.
      type: bool
    error:
      description: Why it is not known.
      type: str
static:
  description: Static files.
  returned: success
  type: dict
  sample:
    storage: whitenoise.storage.CompressedManifestStaticFilesStorage
    root: /code/staticfiles
    url: /static/
    installed: true
    manifest: {path: /code/staticfiles/staticfiles.json, exists: true, hash: 2a0ff3d4f1b5, entries: 1804}
    error: ""
    where: ""
  contains:
    storage:
      description: Class of the storage.
      type: str
    root:
      description: Directory for collected files.
      type: str
    url:
      description: URL that they are served below.
      type: str
    installed:
      description: Whether C(django.contrib.staticfiles) is installed.
      type: bool
    manifest:
      description: The manifest. Null where the storage has none.
      type: dict
      contains:
        path:
          description: Its file. Null where it is none.
          type: str
        exists:
          description: Whether it is there.
          type: bool
        hash:
          description: Hash of its entries. Equal hashes mean equal files.
          type: str
        entries:
          description: Number of files in it.
          type: int
    error:
      description: Why it is not known.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
middleware_cache:
  description: Middleware that caches whole pages.
  returned: success
  type: dict
  sample: {updates: true, fetches: true, seconds: 600, alias: default, key_prefix: "", before_update: [], errors: [],
           error: "", where: ""}
  contains:
    updates:
      description: Whether a middleware stores pages.
      type: bool
    fetches:
      description: Whether a middleware answers with stored pages.
      type: bool
    seconds:
      description: For how long pages are kept (C(CACHE_MIDDLEWARE_SECONDS)).
      type: float
    alias:
      description: The cache that is used, also by C(cache_page).
      type: str
    key_prefix:
      description: Prefix of the pages' keys.
      type: str
    before_update:
      description: Middleware that makes pages differ by cookie, and stands before the one that stores them.
      type: list
      elements: str
    errors:
      description: Middleware that can't be imported.
      type: list
      elements: dict
      contains:
        middleware:
          description: Its name.
          type: str
        error:
          description: Why.
          type: str
    error:
      description: Why it is not known.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
application:
  description: The application that the server runs.
  returned: success
  type: dict
  sample: {module: mysite.wsgi, settings: mysite.settings, error: "", where: ""}
  contains:
    module:
      description: Its module, by the server's command line or C(WSGI_APPLICATION).
      type: str
    settings:
      description: The settings module that its source names, for when the environment names none.
      type: str
    error:
      description: Why it is not known.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
apps:
  description: The result of importing all apps.
  returned: success
  type: dict
  sample: {installed: 9, error: "", where: ""}
  contains:
    installed:
      description: Number of apps. Null where they were not imported.
      type: int
    error:
      description: Why they can't all be imported.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
urls:
  description: The result of importing the URLconf.
  returned: success
  type: dict
  sample: {patterns: 12, error: "", where: ""}
  contains:
    patterns:
      description: Number of patterns at its top. Null where it was not imported.
      type: int
    error:
      description: Why it can't be imported.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
cache_version:
  description: Whether the caches take their version from O(cache_version_variable).
  returned: success
  type: dict
  sample: {variable: CACHE_VERSION, honoured: {default: true}, types: {default: int}, error: ""}
  contains:
    variable:
      description: The environment variable.
      type: str
    honoured:
      description: For each alias, whether its version was the value that the variable had.
      type: dict
    types:
      description: For each alias, the Python type of its version then.
      type: dict
    error:
      description: Why it is not known.
      type: str
server:
  description: The server, by its processes.
  returned: success
  type: dict
  sample:
    kind: gunicorn
    master_pid: 4711
    workers: 3
    worker_class: sync
    threads: 1
    preload: false
    autoreload: false
    reload: true
    reload_reason: ""
    listens: ["0.0.0.0:8000"]
    port: 8000
    port_error: ""
    error: ""
  contains:
    kind:
      description:
        - One of V(gunicorn), V(uvicorn), V(hypercorn), V(daphne), V(uwsgi), V(waitress), V(granian), V(mod_wsgi),
          V(runserver); empty if none is known.
      type: str
    master_pid:
      description: Process id of its master on the managed host. Null without a known server.
      type: int
    workers:
      description: Number of worker processes that run now.
      type: int
    worker_class:
      description: Worker class of gunicorn.
      type: str
    threads:
      description: Threads of each worker of gunicorn.
      type: int
    preload:
      description: Whether gunicorn loads the app before it starts workers.
      type: bool
    autoreload:
      description: Whether it restarts by itself when a file changes. Null where that is not known.
      type: bool
    reload:
      description: Whether it can take new workers without losing a request, as the strategy V(reload) does.
      type: bool
    reload_reason:
      description: Why not.
      type: str
    listens:
      description: Addresses that it listens at.
      type: list
      elements: str
    port:
      description: The port that the pages were asked for at. Null where none is known.
      type: int
    port_error:
      description: Why there is none.
      type: str
    error:
      description: Why it is not known.
      type: str
responses:
  description: What the server answered, for each of O(paths).
  returned: success
  type: list
  elements: dict
  sample:
    - path: /
      status: 200
      error: ""
      html: true
      cache_control: max-age=600
      max_age: 600
      shared_max_age: null
      age: null
      expires_seconds: 600
      kept_seconds: 600
      vary: [Cookie]
      etag: false
      sets_cookie: false
      location: null
      milliseconds: 12
  contains:
    path:
      description: The path.
      type: str
    status:
      description: HTTP status. 0 without an answer.
      type: int
    error:
      description: Why there is no answer.
      type: str
    html:
      description: Whether it is a page.
      type: bool
    cache_control:
      description: C(Cache-Control).
      type: str
    max_age:
      description: Seconds in C(max-age).
      type: int
    shared_max_age:
      description: Seconds in C(s-maxage), for caches between server and browser.
      type: int
    age:
      description: Seconds in C(Age).
      type: int
    expires_seconds:
      description: Seconds from C(Date) to C(Expires).
      type: int
    kept_seconds:
      description: For how long a browser may show it again without asking. No server can call that back.
      type: int
    vary:
      description: Names in C(Vary).
      type: list
      elements: str
    etag:
      description: Whether it has an C(ETag).
      type: bool
    sets_cookie:
      description: Whether it sets a cookie.
      type: bool
    location:
      description: Target of a redirect, without its query.
      type: str
    milliseconds:
      description: How long the answer took.
      type: int
errors:
  description: All that could not be told, in one place.
  returned: success
  type: list
  elements: dict
  sample:
    - part: "caches: search"
      error: "ModuleNotFoundError: No module named 'pylibmc'"
      where: ""
  contains:
    part:
      description: What could not be told.
      type: str
    error:
      description: Why.
      type: str
    where:
      description: File and line in the app that the error came from.
      type: str
findings:
  description: What a person must know, the gravest first.
  returned: success
  type: list
  elements: dict
  sample:
    - id: html_max_age
      level: problem
      text: "Browsers keep / for 600 s, and no server can call that back: send Cache-Control: no-cache with an ETag, or
        shorten cache_page."
  contains:
    id:
      description: Its name, for example V(debug_text), V(dummy_cache), V(sessions_lost), V(html_max_age).
      type: str
    level:
      description: >-
        V(danger) where others can get at something, V(problem) where something is wrong now, V(hint) where it decides
        about deploys.
      type: str
    text:
      description: What it is and what to do.
      type: str
msg:
  description: All of it in lines for a person.
  returned: success
  type: str
  sample: "Django  5.2.19 on Python 3.13.5, DEBUG off, settings mysite.settings"
cmd:
  description: The command that fails in the same way, as a person would type it.
  returned: when the app's settings can't be loaded
  type: list
  elements: str
  sample: [python, manage.py, check]
rc:
  description: Return code of the app's Python.
  returned: when the app's settings can't be loaded
  type: int
  sample: 1
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, options
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Ask the app."""
    check_headers.take(module.params["check_headers"])
    return django_info.look(module.params)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **options.DJANGO,
            "paths": {"type": "list", "elements": "str", "default": ["/"]},
            "host_header": {"type": "str"},
            **options.FORWARDED,
            **options.CHECK_HEADERS,
            "port": {"type": "int"},
            "cache_version_variable": {"type": "str", "default": "CACHE_VERSION"},
            "imports": {"type": "bool", "default": True},
            "timeout_seconds": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
        **runner.RULES,
    )
    run(module, work)


if __name__ == "__main__":
    main()
