# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which memcached servers are meant, and how to reach them all at once. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import ipaddress
import ssl
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError, JunoError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

DEFAULT_PORT: int = options.default(options.MEMCACHED, "port")
DEFAULT_TIMEOUT_SECONDS: float = options.default(options.MEMCACHED, "timeout_seconds")

ARGUMENTS = {**options.COMPOSE, **options.MEMCACHED}
#: What AnsibleModule is told about options that need or exclude each other.
RULES: dict[str, t.Any] = {
    "mutually_exclusive": [("servers", "project")],
    "required_one_of": [("servers", "project")],
    "required_together": [("username", "password"), ("project", "service")],
    "required_by": {"tls_key_file": ["tls_cert_file"]},
}


@dataclasses.dataclass(frozen=True)
class Server:
    """One memcached: a host and port, or the path of a unix socket."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    #: The container it runs in, where the Engine said so.
    container: str = dataclasses.field(default="", compare=False)
    #: Addresses of the host on which the container's port is published; None where nobody asked the Engine.
    published: tuple[str, ...] | None = dataclasses.field(default=None, compare=False)

    @property
    def address(self) -> str:
        """The address as a person writes it."""
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """The address, with the container's name where there is one."""
        return f"{self.container} ({self.address})" if self.container else self.address


@dataclasses.dataclass(frozen=True)
class Options:
    """How to talk to the servers; the same for all of them."""

    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    tls_context: ssl.SSLContext | None = None


class ServerError(JunoError):
    """One server can't be reached or refuses; C(kind) says in a word why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def parse_server(text: str, default_port: int = DEFAULT_PORT) -> Server:
    """Read C(host), C(host:port), C([ipv6]:port), a bare IPv6 address, C(/path) or C(unix:/path)."""
    text = text.strip()
    path = text.removeprefix("unix:")
    if path.startswith("/"):
        return Server(path=path, port=0)
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        port = rest.removeprefix(":") if rest.startswith(":") else None
        if not bracket or (rest and port is None) or not _is_ipv6(host):
            raise _bad_server(text)
    elif _is_ipv6(text):
        host, port = text, None
    else:
        host, colon, port = text.partition(":")
        port = port if colon else None
    if not host or any(c.isspace() or c == "/" for c in host):
        raise _bad_server(text)
    return Server(host=host, port=default_port if port is None else _port(port, text))


def parse_servers(texts: Iterable[str], default_port: int = DEFAULT_PORT) -> list[Server]:
    """Read each server once, in the order given."""
    servers = list(dict.fromkeys(parse_server(text, default_port) for text in texts))
    if not servers:
        raise BadInputError("The list of memcached servers is empty: name at least one, for example 127.0.0.1:11211.")
    return servers


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _port(text: str, whole: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise _bad_server(whole)


def _bad_server(text: str) -> BadInputError:
    return BadInputError(
        f"'{text}' is no memcached server: write host:port, [ipv6]:port or the path of a unix socket, "
        "for example 127.0.0.1:11211, [::1]:11211 or /run/memcached/memcached.sock."
    )


def find_servers(params: dict[str, t.Any], connect: Callable[[str | None], t.Any] = engine.connect) -> list[Server]:
    """Return the servers that a module's parameters name, or those that run in the compose service."""
    port: int = params["port"]
    if not 0 < port < 65536:
        raise BadInputError(f"port is {port}: give a number from 1 to 65535.")
    if params["servers"] is not None:
        return parse_servers(params["servers"], port)
    client = connect(params["docker_host"])
    try:
        running = engine.find_running(client, params["project"], params["service"])
    finally:
        client.close()
    return [_of_container(one, port) for one in running]


def _of_container(container: engine.Container, port: int) -> Server:
    if not container.addresses:
        raise EngineError(
            f"The container {container.name} has no address of its own (network_mode host or none): name the server in "
            "'servers' instead, for example 127.0.0.1:11211."
        )
    published = tuple(one.address for one in container.published if one.private_port == port)
    return Server(host=container.addresses[0], port=port, container=container.name, published=published)


def options_from(params: dict[str, t.Any]) -> Options:
    """Return the connection options of a module's parameters."""
    if params["timeout_seconds"] <= 0:
        raise BadInputError(f"timeout_seconds is {params['timeout_seconds']:g}: give a number above 0.")
    return Options(
        timeout_seconds=params["timeout_seconds"],
        username=params["username"],
        password=params["password"],
        tls_context=tls_context(params) if params["tls"] else None,
    )


def tls_context(params: dict[str, t.Any]) -> ssl.SSLContext:
    """Return a TLS context that always verifies the server's certificate."""
    try:
        context = ssl.create_default_context(cafile=params["tls_ca_file"])
    except OSError as exc:
        raise BadInputError(
            f"tls_ca_file {params['tls_ca_file']} can't be used ({exc}): name a readable PEM file on the managed host."
        ) from exc
    context.check_hostname = params["tls_check_hostname"]
    if params["tls_cert_file"]:
        try:
            context.load_cert_chain(params["tls_cert_file"], params["tls_key_file"], password=_no_passphrase)
        except (OSError, ValueError) as exc:
            raise BadInputError(
                f"tls_cert_file {params['tls_cert_file']} and its key can't be used ({exc}): name readable PEM files "
                "that belong together, the key without a passphrase."
            ) from exc
    return context


def _no_passphrase() -> str:
    """Stop OpenSSL from asking the terminal."""
    raise ValueError("the key has a passphrase")


R = t.TypeVar("R")


def fan_out(servers: Sequence[Server], work: Callable[[Server], R], *, limit_seconds: float) -> list[R | ServerError]:
    """Do the work on all servers at once and give each one's result or failure, in order.

    No server waits for another. One that has not ended after C(limit_seconds) counts as silent: its name service hangs,
    or it answers by drops, which no timeout of a socket notices.
    """
    results: dict[int, R | ServerError] = {}

    def run_one(index: int, server: Server) -> None:
        try:
            results[index] = work(server)
        except ServerError as exc:
            results[index] = exc

    # Daemon threads: the module can end while one of them still hangs.
    threads = [
        threading.Thread(target=run_one, args=(index, server), daemon=True) for index, server in enumerate(servers)
    ]
    ends = time.monotonic() + limit_seconds
    for thread in threads:
        thread.start()
    for index, thread in enumerate(threads):
        thread.join(max(0.0, ends - time.monotonic()))
        if thread.is_alive():
            results[index] = too_slow(servers[index], limit_seconds)
        elif index not in results:
            raise RuntimeError(f"the work on {servers[index].name} ended without an outcome; its traceback is above")
    return [results[index] for index in range(len(servers))]


def too_slow(server: Server, seconds: float) -> ServerError:
    """Return that a server did not come to an end."""
    return ServerError(
        "silent",
        f"{server.name} was not done after {seconds:g} s (its name does not resolve in time, or it answers by drops): "
        "look at its load and its network, or name it by address.",
    )
