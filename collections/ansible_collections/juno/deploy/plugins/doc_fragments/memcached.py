# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say which memcached servers are meant and how to reach them."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of everything that talks to memcached, beside those of the fragment compose."""

    DOCUMENTATION = r"""
options:
  servers:
    description:
      - The memcached servers, each as C(host:port), C([ipv6]:port), or the path of a unix socket.
      - Without a port O(port) is used.
      - They are reached from the managed host, not from the controller.
      - Either this or O(project) is needed.
    type: list
    elements: str
  port:
    description:
      - Port of the servers that are named without one, and of the containers of O(service).
    type: int
    default: 11211
  tls:
    description:
      - Whether to talk TLS. The server's certificate is always verified.
      - A unix socket is always used without TLS, as memcached offers none there.
    type: bool
    default: false
  tls_ca_file:
    description:
      - PEM file, on the managed host, with the certificates of the authorities to trust.
      - Without it the host's own list is used.
    type: path
  tls_cert_file:
    description:
      - PEM file, on the managed host, with the certificate to show to a server that asks clients for one.
    type: path
  tls_key_file:
    description:
      - PEM file, on the managed host, with the key of O(tls_cert_file), if it is not in that file.
    type: path
  tls_check_hostname:
    description:
      - Whether the certificate must name the server as it is named in O(servers).
    type: bool
    default: true
  username:
    description:
      - User to log in as where the server asks for it (C(memcached -Y)).
      - It is sent only to servers that ask.
    type: str
  password:
    description:
      - Password of O(username). It is never printed, and sent only to servers that ask.
    type: str
  timeout_seconds:
    description:
      - How long to wait for a server to take the connection, and for each of its answers.
    type: float
    default: 5.0
requirements:
  - pymemcache on the managed host (package C(python3-pymemcache))
"""
