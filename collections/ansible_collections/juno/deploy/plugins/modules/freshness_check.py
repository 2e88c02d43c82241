#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Ask a site for pages and judge what it answers."""

from __future__ import annotations

DOCUMENTATION = r"""
module: freshness_check
short_description: Verify that a site serves the right pages and all the files they name
version_added: 0.1.0
description:
  - Asks a site for pages, each twice, and compares what it answers with what they must show. The first request may fill
    the site's page cache, the second one reads it, so a stale cache is found as well as a stale worker.
  - Asks for each file of the same site that these pages make a browser load (style sheets, scripts, images, icons), and
    finds those that are missing, empty or cut short.
  - Asks each container of the site on its own, too, and for pages that nobody configured, which the sitemap names or
    visitors asked for often, if told so.
  - Tries everything, whatever is wrong before, then fails if anything was wrong. The message names the first page with
    a problem; RV(findings) has them all, also those that fail nothing.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.forwarded
  - juno.deploy.check_headers
  - juno.deploy.page
  - juno.deploy.checks
  - juno.deploy.compose.site
  - juno.deploy.compose.engine
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
  pages:
    description:
      - The pages to ask for. The first one is also the one that O(wait_seconds) waits for.
    required: true
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
      - Whether an https site must have a certificate that this host trusts. If not, one that browsers would refuse is
        a finding and no failure.
    type: bool
    default: true
  found_seconds:
    description:
      - How long pages of O(sitemap_pages) and O(log_pages), and the files that only they name, may be asked for. A
        finding says how many were left out then.
    type: float
    default: 5
    version_added: 0.2.0
  answered_before:
    description:
      - Pages of O(sitemap) that the release before answered well. What goes wrong with another one is a finding, no
        failure.
      - Without it each page of the sitemap can fail the check.
    type: list
    elements: str
    version_added: 0.2.0
  project:
    description:
      - Name of the compose project. With it the running containers of O(service) are asked for the pages, each on its
        own. One that answers otherwise than it must is an error, which names it.
    type: str
    version_added: 0.2.0
  service:
    version_added: 0.2.0
  docker_host:
    version_added: 0.2.0
  protocol:
    description:
      - What the containers speak at O(port), V(uwsgi) for uWSGI's own protocol (C(uwsgi_pass) of nginx).
      - Without it what the app's proxy passes on counts, else it is V(http).
    type: str
    choices: [http, uwsgi]
    version_added: 0.2.0
  port:
    description:
      - The port that the containers listen on. Without it the one is taken that they publish, or that the app's proxy
        sends requests to, or the only one that their image names.
    type: int
    version_added: 0.2.0
  release:
    description:
      - The release that must be shown, where the site shows one, by a header or by
        C(<meta name="release" content="...">). A page that shows another one is an error.
    type: dict
    version_added: 0.2.0
    suboptions:
      value:
        description:
          - What must be shown. Of a commit the first seven digits or more are enough on either side.
          - Empty, no release is asked for.
        type: str
        required: true
      header:
        description:
          - Name of the header. If it is empty, or an answer hasn't got it, the page itself is looked at.
        type: str
        default: X-Release
      pattern:
        description:
          - A regular expression that finds the release in what is shown. Its first group, if any, is the release.
        type: str
seealso:
  - module: ansible.builtin.uri
  - module: juno.deploy.memcached_flush
requirements:
  - Docker SDK for Python on the managed host (package C(python3-docker)) when O(project) is given
notes:
  - Proxies from the environment are not used, and nothing is sent but C(GET) requests without cookies.
  - At most four requests are made at the same time.
  - Pages that nobody configured are asked for again with C(GET), without cookies and without a query.
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

- name: Check what visitors ask for, by each container, and that nobody gets a page of another commit
  juno.deploy.freshness_check:
    base_url: http://127.0.0.1:8001
    host: www.example.org
    project: junojobs
    pages:
      - path: /
    sitemap_pages: 5
    log_pages: 5
    manifest: staticfiles/staticfiles.json
    release:
      value: 0e6ed9c20edd33be82b26b64b00c701fa8fe04d1
    compare: true

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
  description: What each page answered, those of O(pages) first, in their order.
  returned: when the site's name is known
  type: list
  elements: dict
  contains:
    path:
      description: The page's path.
      type: str
      sample: /about/
    source:
      description: Who named it, V(configured) (in O(pages)), V(sitemap) or V(log).
      type: str
      sample: configured
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
containers:
  description: The containers that were asked on their own.
  returned: when the site's name is known
  type: list
  elements: dict
  version_added: 0.2.0
  contains:
    name:
      description: The container's name.
      type: str
      sample: junojobs-web-1
    address:
      description: Its address on this host.
      type: str
      sample: 172.18.0.4
    port:
      description: The port that it was asked at.
      type: int
      sample: 8000
    pages:
      description: How many pages it was asked for.
      type: int
      sample: 3
manifest:
  description: The manifest of static files that was read; empty when there was none.
  returned: when the site's name is known
  type: dict
  version_added: 0.2.0
  contains:
    path:
      description: Its path in the container.
      type: str
      sample: /code/staticfiles/staticfiles.json
    names:
      description: How many files it lists.
      type: int
      sample: 1812
release:
  description: The release that was asked for; empty when there was none.
  returned: when the site's name is known
  type: dict
  version_added: 0.2.0
  contains:
    value:
      description: What had to be shown.
      type: str
      sample: 0e6ed9c20edd33be82b26b64b00c701fa8fe04d1
    shown:
      description: How many pages show a release.
      type: int
      sample: 3
html_max_age_found:
  description: The longest time in seconds for which browsers or CDNs may keep one of the pages.
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
  description: All that was found, what makes the module fail first.
  returned: when the site's name is known
  type: list
  elements: dict
  contains:
    what:
      description:
        - What it is about, V(page), V(container) (a page as a container answers it), V(asset) or V(assets) for all of
          them. V(lifetime) is about O(html_max_age), V(cached) about O(compare), V(manifest) and V(sitemap) about the
          options of these names, V(left_out) about O(found_seconds).
      type: str
      sample: asset
    path:
      description: Path of the page or file.
      type: str
      sample: /static/css/site.55e7cbb9ba48.css
    container:
      description: The container that was asked; empty for the front door.
      type: str
      version_added: 0.2.0
      sample: ''
    level:
      description: V(error) makes the module fail, V(warning) does not.
      type: str
      sample: error
    message:
      description: The finding in a sentence.
      type: str
      sample: /static/css/site.55e7cbb9ba48.css on http://127.0.0.1:8001 answered 404 instead of 200
words:
  description: What was asked for and what was found, in lines for a person; of the findings the first ten.
  returned: when the site's name is known
  type: list
  elements: str
  version_added: 0.2.0
  sample: ["1 page(s) asked for twice and 14 file(s) that they name, all as they must be"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers
from ansible_collections.juno.deploy.plugins.module_utils._module import run
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Check the site and give what was seen."""
    check_headers.take(module.params["check_headers"])
    return verify_site.verify(module.params, module.warn)


def main() -> None:
    """Run the module."""
    run(AnsibleModule(argument_spec=verify_site.ARGUMENT_SPEC, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
