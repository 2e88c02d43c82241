#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Ask a site for pages and judge what it answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: freshness_check
short_description: Prove that a site serves the right pages and all the files they name
version_added: 0.1.0
description:
  - Asks a site for pages, each twice, and compares what it answers with what they must show. The first request may fill
    the site's page cache, the second one reads it, so a stale cache is found as well as a stale worker.
  - Asks for each file of the same site that these pages make a browser load (style sheets, scripts, images, icons), and
    finds those that are missing, empty or cut short.
  - Tries everything, whatever is wrong before, then fails if anything was wrong. The message names the first page with
    a problem; RV(findings) has them all.
extends_documentation_fragment:
  - juno.deploy.attributes
attributes:
  check_mode:
    support: full
    details: The module only reads, so check mode does the same.
  diff_mode:
    support: none
    details: There is no change to show.
  idempotent:
    support: full
  platform:
    platforms: posix
    support: full
options:
  base_url:
    description:
      - Scheme, host and port that the requests go to, without a path. IPv6 addresses stand in brackets.
    type: str
    required: true
  host:
    description:
      - The site's name for the C(Host) header, so that Django's C(ALLOWED_HOSTS) is satisfied. It is also the name that
        a certificate is compared with.
      - Without it the host and port of O(base_url) are sent.
    type: str
  forwarded_proto:
    description:
      - Value for the C(X-Forwarded-Proto) header. V(https) keeps a site that trusts this header from redirecting.
    type: str
    choices:
      - http
      - https
  pages:
    description:
      - The pages to ask for. The first one is also the one that O(wait_seconds) waits for.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description:
          - Path with an optional query, beginning with a slash.
        type: str
        required: true
      status:
        description:
          - HTTP status that the page must answer. A redirect is an answer with its own status, see O(follow_redirects).
        type: int
        default: 200
      contains:
        description:
          - Texts that the page's source must contain, as they are written in HTML.
        type: list
        elements: str
        default: []
      excludes:
        description:
          - Texts that the page's source must not contain, for example one of the old release.
        type: list
        elements: str
        default: []
  wait_seconds:
    description:
      - How long to wait until the site answers at all. Meanwhile a refused or broken connection, no answer within
        O(timeout_seconds), and the status 502, 503 or 504 are tried again. The last try may begin shortly before the
        end and then takes at most O(timeout_seconds) more.
      - Any other answer ends the waiting and is judged; a wrong text or a status 500 is not waited for.
    type: float
    default: 0
  timeout_seconds:
    description:
      - How long one request may take in all, from connecting to the last byte.
    type: float
    default: 10
  check_assets:
    description:
      - Whether to ask for the files that the pages name as well.
    type: bool
    default: true
  max_assets:
    description:
      - How many files to ask for at most. A warning says when the pages name more.
    type: int
    default: 200
  max_body_bytes:
    description:
      - How much of one answer is read. A page that is larger is an error; of a larger file only this much is read.
    type: int
    default: 8388608
  follow_redirects:
    description:
      - Whether to follow redirects of pages that lead to the same site, at most five in a row.
    type: bool
    default: false
  validate_certs:
    description:
      - Whether an https site must have a certificate that this host trusts.
    type: bool
    default: true
  compare:
    description:
      - Ask for each page once more with a query that no page cache has seen, and compare what was served last with that
        rendering, without what differs by nature (CSRF tokens, nonces, times). A difference is a finding, no failure.
    type: bool
    default: false
    version_added: 0.2.0
  html_max_age:
    description:
      - For how many seconds browsers and proxies may keep a page, by C(Cache-Control) or C(Expires). One that they may
        keep for longer is a finding, no failure, since after a deploy nothing here can call it back.
      - The default is an hour. Django's C(cache_page) sends the time that it keeps a page for.
    type: int
    default: 3600
    version_added: 0.2.0
seealso:
  - module: ansible.builtin.uri
  - module: juno.deploy.memcached_flush
notes:
  - Proxies from the environment are not used, and nothing is sent but C(GET) requests without cookies.
  - At most four requests are made at the same time.
  - Files that style sheets or scripts load in their turn are not looked for.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Check that the new edition is served through the published port
  juno.deploy.freshness_check:
    base_url: http://127.0.0.1:8001
    host: www.example.org
    forwarded_proto: https
    wait_seconds: 60
    pages:
      - path: /
        contains: [Edition 2]
        excludes: [Edition 1]
      - path: /about/
      - path: /no-such-page/
        status: 404

- name: Check one page and none of its files
  juno.deploy.freshness_check:
    base_url: https://www.example.org
    check_assets: false
    pages:
      - path: /health/
        contains: [ok]
"""

RETURN = r"""
began:
  description: When the first page was asked for, in seconds since the epoch by this host's clock.
  returned: always
  type: float
  sample: 1769853606.5
pages:
  description: What each page answered, in the order of O(pages).
  returned: when the site's name is known
  type: list
  elements: dict
  contains:
    path:
      description: The page's path.
      type: str
      sample: /about/
    status:
      description: Status of the last answer; V(0) when there was none.
      type: int
      sample: 200
    milliseconds:
      description: Time of the first request (C(miss)) and the second (C(hit), null if the first was not answered).
      type: dict
      sample: {"miss": 84, "hit": 3}
    findings:
      description: What is wrong with the page, in sentences.
      type: list
      elements: str
      sample: ["/about/ on http://127.0.0.1:8001 still contains 'Edition 1' (second request)"]
assets:
  description: The files that the pages name.
  returned: when the site's name is known
  type: dict
  contains:
    checked:
      description: How many files were asked for.
      type: int
      sample: 14
    failed:
      description: Paths of the files with a problem.
      type: list
      elements: str
      sample: ["/static/css/site.55e7cbb9ba48.css"]
html_max_age_found:
  description: The longest time in seconds for which browsers or proxies may keep one of the pages.
  returned: when the site's name is known
  type: int
  version_added: 0.2.0
  sample: 300
waited_seconds:
  description: How long the site did not answer before it did, or before the time was over.
  returned: when the site's name is known
  type: float
  sample: 1.6
findings:
  description: All that was found, pages first.
  returned: when the site's name is known
  type: list
  elements: dict
  contains:
    what:
      description:
        - What it is about, V(page), V(asset) or V(assets) for all of them. V(lifetime) is about O(html_max_age),
          V(cached) about O(compare).
      type: str
      sample: asset
    path:
      description: Path of the page or file.
      type: str
      sample: /static/css/site.55e7cbb9ba48.css
    level:
      description: V(error) makes the module fail, V(warning) does not.
      type: str
      sample: error
    message:
      description: The finding in a sentence.
      type: str
      sample: /static/css/site.55e7cbb9ba48.css on http://127.0.0.1:8001 answered 404 instead of 200
"""

import functools
import time
import typing as t
import uuid

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _pages, _pages_report
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._module import run
from ansible_collections.juno.deploy.plugins.module_utils._pages_http import fetch, resolve
from ansible_collections.juno.deploy.plugins.module_utils._pages_site import parse_site

PAGE_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "str", "required": True},
    "status": {"type": "int", "default": 200},
    "contains": {"type": "list", "elements": "str", "default": []},
    "excludes": {"type": "list", "elements": "str", "default": []},
}
ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "base_url": {"type": "str", "required": True},
    "host": {"type": "str"},
    "forwarded_proto": {"type": "str", "choices": ["http", "https"]},
    "pages": {"type": "list", "elements": "dict", "required": True, "options": PAGE_SPEC},
    "wait_seconds": {"type": "float", "default": 0},
    "timeout_seconds": {"type": "float", "default": 10},
    "check_assets": {"type": "bool", "default": True},
    "max_assets": {"type": "int", "default": 200},
    "max_body_bytes": {"type": "int", "default": 8 * 1024 * 1024},
    "follow_redirects": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    "compare": {"type": "bool", "default": False},
    "html_max_age": {"type": "int", "default": 3600},
}


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Check the site and give what was seen.

    :raises JunoError: something was wrong with a page or a file.
    """
    params = module.params
    _pages.check_figures(params)
    pages = _pages.parse_pages(params["pages"])
    site = parse_site(
        params["base_url"],
        host=params["host"],
        forwarded_proto=params["forwarded_proto"] or "",
        timeout_seconds=params["timeout_seconds"],
        max_body_bytes=params["max_body_bytes"],
        validate_certs=params["validate_certs"],
    )
    addresses = resolve(site.hostname, site.port, site.timeout_seconds)
    began = time.time()
    outcome = _pages.check(
        site,
        pages,
        functools.partial(fetch, site, addresses),
        wait_seconds=params["wait_seconds"],
        max_assets=params["max_assets"] if params["check_assets"] else 0,
        follow_redirects=params["follow_redirects"],
        html_max_age=params["html_max_age"],
        token=uuid.uuid4().hex if params["compare"] else "",
        clock=time.monotonic,
        pause=time.sleep,
    )
    result = {"began": began, **_pages_report.report(site, outcome)}
    for one in result["findings"]:
        if one["level"] == "warning":
            module.warn(one["message"])
    message = _pages_report.summary(site, outcome.findings)
    if message:
        raise JunoError(message, **result)
    return result


def main() -> None:
    """Run the module."""
    run(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
