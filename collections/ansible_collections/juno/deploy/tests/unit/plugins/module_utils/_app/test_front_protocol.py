# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front proxy speaks to the site, read from configurations as people write them."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_protocol

NAMES = ("web", "shop_web")
# The comments are those of uWSGI's own documentation.
UPSTREAM = """
upstream django {
    # server unix:///path/to/your/mysite/mysite.sock; # for a file socket
    server web:8001; # for a web port socket (we'll use this first)
}
server {
    listen 8000;
    location /media { alias /media; }
    location / { include uwsgi_params; uwsgi_pass django; }
}
"""
BOTH = """
location / { include uwsgi_params; uwsgi_pass web:8000; }
location /ws/ { proxy_pass http://web:9000; }
"""


def read(text, service=None, site=None, otherwise=()):
    return front_protocol.read("nginx", service or {}, site or {}, text, NAMES, otherwise)


@pytest.mark.parametrize(
    ("text", "ports", "uwsgi"),
    [
        ("location / { proxy_pass http://web:8000; }", (8000,), set()),
        ("location / { uwsgi_pass web:8000; }", (8000,), {8000}),
        ("location / { uwsgi_pass uwsgi://shop_web:3031; }", (3031,), {3031}),
        (UPSTREAM, (8001,), {8001}),
        (BOTH, (8000, 9000), {8000}),
        ("set $app web:8000;\nlocation / { uwsgi_pass $app; }", (8000,), {8000}),
        ("upstream app { server web:8000; }\nset $app app; uwsgi_pass $app;", (8000,), {8000}),
        # A template of nginx's image, which gets its values from the environment of the service.
        ('["UWSGI=web:8000"]\nlocation / { uwsgi_pass ${UWSGI}; }', (8000,), {8000}),
        ("set $app web:8000; uwsgi_pass $app; proxy_pass http://web:9000;", (8000, 9000), {8000}),
        ('["U=web:8000"]\nuwsgi_pass ${U}; location /ws/ { proxy_pass http://web:9000; }', (8000, 9000), {8000}),
        # In the compose file itself.
        ('["nginx", "upstream a {\\n  server web:8000;\\n}\\nuwsgi_pass a;"]', (8000,), {8000}),
        # Apache.
        ('ProxyPass "/" "uwsgi://web:8000/"', (8000,), {8000}),
        # It is another service that is asked so.
        ("proxy_pass http://web:8000; location /api { uwsgi_pass api:8000; }", (8000,), set()),
        ("proxy_pass http://web:8000; location /php { fastcgi_pass php:9000; }", (8000,), set()),
        ("proxy_pass http://web:8000;\n# uwsgi_pass web:8000;", (8000,), set()),
        ("proxy_pass http://web:8000; # uwsgi_pass web:8000;", (8000,), set()),
        ("server { listen 80; }", (), set()),
    ],
)
def test_which_ports_and_by_what(text, ports, uwsgi):
    assert read(text) == front_protocol.Asked(ports, frozenset(uwsgi))


def test_a_port_that_only_the_site_tells():
    assert read("uwsgi_pass ${HOST}:${PORT};", otherwise=[8000]).uwsgi == {8000}


@pytest.mark.parametrize("said", ["fastcgi_pass web:9000;", "scgi_pass web:9000;", 'ProxyPass "/" "fcgi://web:9000/"'])
def test_what_can_not_be_passed_on(said):
    found = read(said)
    assert found.why_not == "'nginx' asks it by fastcgi_pass or its like, neither HTTP nor uWSGI's own protocol"
    # Nobody of ours may ask there by HTTP.
    assert (found.ports, bool(found)) == ((), True)


@pytest.mark.parametrize(
    "said", ["uwsgi_pass unix:/run/app/site.sock;", "upstream a { server unix:///run/app/site.sock; }"]
)
@pytest.mark.parametrize(
    ("target", "shared"),
    [("/run/app", True), ("/run/", True), ("/run/ap", False), ("/var/www", False)],
)
def test_a_socket_in_a_volume(said, target, shared):
    volume = {"type": "volume", "source": "sockets"}
    found = read(said, {"volumes": [{**volume, "target": target}]}, {"volumes": [{**volume, "target": "/sockets"}]})
    assert bool(found) is shared
    if shared:
        assert found.why_not == (
            "'nginx' asks it at the socket /run/app/site.sock in a volume, where a new container would take the place "
            "of the old one at once (let the site listen at a port, and name 'web:8000' there instead of 'unix:')"
        )


def test_a_socket_beside_a_port():
    volume = {"type": "volume", "source": "sockets", "target": "/run/app"}
    text = "location / { uwsgi_pass web:8000; } location /ws/ { proxy_pass http://unix:/run/app/ws.sock; }"
    found = read(text, {"volumes": [volume]}, {"volumes": [volume]})
    assert (found.ports, found.uwsgi) == ((8000,), {8000})
    assert "'nginx' asks it at the socket /run/app/ws.sock" in found.why_not


def test_a_socket_of_somebody_else():
    nginx = {"volumes": [{"type": "volume", "source": "php", "target": "/run/php"}]}
    assert not read("fastcgi_pass unix:/run/php/php.sock;", nginx, {"volumes": []})
