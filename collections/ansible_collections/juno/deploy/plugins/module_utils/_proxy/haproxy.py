# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's configuration for the proxy: written, and read again. Private to juno.deploy: no stable interface.

A published port is passed as HTTP where it is known to be that, else as TCP: byte by byte, without rules. So is what
a front proxy says to the site by uWSGI's own protocol, but its servers are checked, since a connection is a request.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._proxy.names import (
    CONFIG_INSIDE,
    FIRST_PORT,
    INSIDE_PORT,
    RUN_INSIDE,
    SOCKET_NAME,
)

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._proxy.names import Proxy

#: What the name of a backend begins with.
BACKEND = "app_"
#: What the name of a backend ends with whose requests may be sent a second time.
AGAIN = "_again"
#: The first of the ports at which HAProxy asks itself for these, in its own container only, and what it calls itself.
AGAIN_PORT = 17000
ITSELF = "itself"
#: Containers of the app that HAProxy can know at a time: old, new, and room for a scaled service.
SLOTS = 16
#: Holds the time until which requests may be sent a second time; none in the file, since only a switch knows it.
SWITCH_MAP, SWITCH_KEY = f"{CONFIG_INSIDE}/switch.map", "until"


def backend_of(target: int) -> str:
    """Name the backend for a port of the app's containers."""
    return f"{BACKEND}{target}"


def front_of(target: int) -> str:
    """Name the frontend by which the project's own front proxy asks for a port of the app's containers."""
    return f"front_{target}"


def write(proxy: Proxy) -> str:
    """Write HAProxy's configuration."""
    text = [_GENERAL.format(socket=f"{RUN_INSIDE}/{SOCKET_NAME}")]
    for offset, port in enumerate(proxy.ports):
        name = f"frontend port_{port.published}_{offset}\n"
        rules = _passed(proxy, port.target) or f"{_MAINTENANCE}{_http(proxy, port.target)}"
        text.append(f"{name}{_bind(proxy, FIRST_PORT + offset)}{rules}  default_backend {backend_of(port.target)}\n")
    for target in proxy.front.ports:
        # At the site's own port, since a front proxy asks there. What it says of its visitors is as true as before.
        rules = _passed(proxy, target) or f"{_FRONT}{_MAINTENANCE}{_BODY}{_choose(target)}"
        text.append(
            f"frontend {front_of(target)}\n{_bind(proxy, target)}{rules}  default_backend {backend_of(target)}\n"
        )
    inside = f"{_bind(proxy, INSIDE_PORT)}{_passed(proxy, proxy.main) or _http(proxy, proxy.main)}"
    text.append(f"frontend inside\n{inside}  default_backend {backend_of(proxy.main)}\n")
    for offset, target in enumerate(proxy.targets):
        servers = f"  server-template {proxy.service} 1-{SLOTS} {proxy.alias}:{target}\n"
        name = backend_of(target)
        if target in proxy.uwsgi:
            text.append(f"backend {name}\n{_UWSGI}{_COMMON}{servers}")
        elif target in proxy.tcp:
            text.append(f"backend {name}\n{_TCP}{_COMMON}{servers}")
        else:
            text.append(f"backend {name}\n{_HTTP}{_STREAMS}{_CHECKED}{_COMMON}{servers}")
            itself = f"127.0.0.1:{AGAIN_PORT + offset}"
            text.append(f"backend {name}{AGAIN}\n{_HTTP}{_SECOND}  server {ITSELF} {itself}\n")
            text.append(f"frontend {name}{AGAIN}\n  bind {itself}\n  default_backend {name}\n")
    return "\n".join(text)


def _bind(proxy: Proxy, port: int) -> str:
    # Two of them: not every system lets one socket have both families.
    return f"  bind :{port}\n" + (f"  bind :::{port} v6only\n" if proxy.ipv6 else "")


def _passed(proxy: Proxy, target: int) -> str:
    """Return the rules for what is passed as it is; nothing for HTTP."""
    if target in proxy.uwsgi:
        return _UWSGI_FRONTEND
    return _TCP_FRONTEND if target in proxy.tcp else ""


def _http(proxy: Proxy, target: int) -> str:
    """Return the rules for requests by HTTP."""
    unless = " unless { src " + " ".join(proxy.trusted) + " }" if proxy.trusted else ""
    return f"{_FORWARDED}{unless}\n{_BODY}{_choose(target)}"


def _choose(target: int) -> str:
    return f"{_CHOOSE} {backend_of(target)}{AGAIN}{_IN_SWITCH}"


def inside_target(configuration: str) -> int:
    """Read from HAProxy's configuration the port that C(inside) sends requests to; 0: it doesn't tell."""
    pattern = rf"^frontend inside\n(?:  .*\n)*?  default_backend {BACKEND}(\d{{1,5}})$"
    found = re.search(pattern, configuration, re.MULTILINE)
    return int(found[1]) if found else 0


def targets(configuration: str) -> frozenset[int]:
    """Read from HAProxy's configuration the ports of the app's containers that it knows."""
    return frozenset(map(int, re.findall(rf"^backend {BACKEND}(\d{{1,5}})$", configuration, re.MULTILINE)))


def drops_forwarded(configuration: str) -> bool:
    """Return whether a configuration of HAProxy takes away what a visitor says of himself."""
    return _FORWARDED in configuration


def tcp_targets(configuration: str) -> frozenset[int]:
    """Read from HAProxy's configuration which ports of the app's containers are passed as TCP."""
    found = re.findall(rf"^backend {BACKEND}(\d{{1,5}})\n  mode tcp$", configuration, re.MULTILINE)
    return frozenset(map(int, found))


def uwsgi_targets(configuration: str) -> frozenset[int]:
    """Read from HAProxy's configuration at which ports of the app's containers uWSGI's own protocol is spoken."""
    found = re.findall(rf"^backend {BACKEND}(\d{{1,5}})\n  description uwsgi$", configuration, re.MULTILINE)
    return frozenset(map(int, found))


#: A name that is gone for a moment (a restart by hand) keeps its address, and a refused connection is tried again:
#: visitors wait some seconds rather than see an error. A client has so long between two signs of life; an answer that
#: takes the app long, or comes bit by bit, may take an hour. A WebSocket may be silent for long: who is there at all is
#: seen by TCP.
_GENERAL = """\
global
  log stdout format raw local0 notice
  stats socket {socket} mode 600 level admin expose-fd listeners
  hard-stop-after 10m
  maxconn 4000
  no strict-limits
  tune.bufsize 32768

resolvers docker
  nameserver engine 127.0.0.11:53
  timeout resolve 500ms
  timeout retry 500ms
  hold valid 500ms
  hold obsolete 0s
  hold nx 30s
  hold refused 30s
  hold timeout 30s
  hold other 30s

defaults
  mode http
  log global
  option dontlog-normal
  timeout connect 2s
  timeout client 60s
  timeout client-fin 30s
  timeout server 1h
  timeout tunnel 1d
  timeout http-request 20s
  timeout http-keep-alive 60s
  timeout check 2s
  option clitcpka
  option redispatch 1
  retries 10
"""
#: A front proxy keeps connections for its next requests: it is the one who ends them.
_FRONT = """\
  timeout client 5m
  timeout http-keep-alive 5m
"""
_MAINTENANCE = f"""\
  option idle-close-on-response
  http-request return status 503 content-type "text/html; charset=utf-8" file {CONFIG_INSIDE}/maintenance.html \
hdr Retry-After 60 hdr Cache-Control no-store if {{ str(site),map({CONFIG_INSIDE}/maintenance.map) -m str on }}
"""
#: What only a proxy can know. Apps can't tell an underscore from a hyphen.
_FORWARDED = """\
  http-request del-header ^(forwarded|x[-_](forwarded[-_].*|real[-_]ip|url[-_]scheme|scheme))$ -m reg"""
#: A body that fits the buffer is waited for, so that a slow client keeps no worker busy; a larger one goes on then.
_BODY = """\
  http-request wait-for-body time 60s unless { method GET HEAD OPTIONS CONNECT }
"""
#: While the app's containers or workers are replaced, what one had accepted that ended then may be sent once more, if
#: it changes nothing. Otherwise never: a request that kills its worker would kill the next one, too.
_CHOOSE = f"""\
  http-request set-var(txn.until) str({SWITCH_KEY}),map_str_int({SWITCH_MAP},0)
  use_backend"""
_IN_SWITCH = " if { method GET HEAD OPTIONS } { date,neg,add(txn.until) gt 0 }\n"
#: A connection of its own for each request to the app: a worker that ends can't take an idle one with it. While no
#: container is there, requests go to "nobody", who refuses them, and so they wait for one (a second for each retry).
_HTTP = """\
  balance leastconn
  option http-server-close
  option forwardfor if-none
"""
#: How many of each server's answers have no end of their own, for C(draining).
_STREAMS = """\
  stick-table type string len 64 size 100 store conn_cur
  http-response track-sc0 srv_name if { status 101 } or { res.hdr(content-type) -m beg -i text/event-stream }
"""
_CHECKED = """\
  retry-on conn-failure
  default-server check inter 2s downinter 250ms fall 5 rise 1
"""
#: HAProxy has one count for all retries of a backend. So one backend has one for answers that were none, which are an
#: error 502 to it; it asks HAProxy itself, whose other backend waits for a container as patiently as ever.
_SECOND = """\
  retries 1
  retry-on 502
"""
#: As quiet and as patient as without a proxy: no checks, which a server would see as clients that go at once.
_TCP_FRONTEND = """\
  mode tcp
  timeout client 5d
  option clitcpka
"""
_TCP = """\
  mode tcp
  balance leastconn
  timeout server 5d
  timeout tunnel 5d
  option srvtcpka
"""
#: A front proxy says nothing while it waits for its answer, which may take as long as one by HTTP.
_UWSGI_FRONTEND = """\
  mode tcp
  timeout client 1h
  timeout client-fin 5m
"""
_UWSGI = """\
  description uwsgi
  mode tcp
  balance leastconn
  default-server check inter 2s downinter 250ms fall 5 rise 1
"""
_COMMON = """\
  default-server init-addr none resolvers docker resolve-prefer ipv4
  server nobody 127.0.0.1:9 backup no-check
"""
