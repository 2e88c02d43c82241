# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(proxy): how a release's proxy is made."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(PROXY) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  proxy:
    description:
      - How the app's proxy (HAProxy) is made. Its image is pulled where it isn't there, before anything is built.
    type: dict
    suboptions:
      image:
        description:
          - The image with HAProxy, 2.4 or later.
        type: str
        default: haproxy:3.0
      pull:
        description:
          - Pull the image also where it is there, and replace the proxy where that brings another one.
        type: bool
        default: false
      trusted_proxies:
        description:
          - Addresses and networks from which C(X-Forwarded-For) and its like are believed.
        type: list
        elements: str
        default: [127.0.0.0/8, '::1/128', 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 'fc00::/7']
      tcp_ports:
        description:
          - Published ports that are passed as TCP, whatever they answer.
        type: list
        elements: int
        default: []
"""
