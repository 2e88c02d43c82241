# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which program dumps a database server, where it is, and its command line. Private to juno.deploy.

The program is taken from the database's own container, else from the host, else from the app's image. It is of the
server's version in the first, and connects to the address that the app connects to, as the same user.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, engine_exec
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._database import dump_run
from ansible_collections.juno.deploy.plugins.module_utils._database.database_connection import Connection, hide

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Programs by Django's name for a kind of server, the first that is there is taken.
PROGRAMS = {"postgresql": ("pg_dump",), "mysql": ("mariadb-dump", "mysqldump")}
#: How long a dump waits for a table that others have locked.
LOCK_SECONDS = 30
#: For a program to tell its version.
ASK_SECONDS = 60
#: The app's own loopback is none of the host.
LOOPBACK = ("127.", "::1")
OWN_IMAGE = "in the app's image"


class NoMeansError(JunoError):
    """Nothing here can dump the database."""


@dataclasses.dataclass(frozen=True)
class Means:
    """A program that can dump, and where it is."""

    program: str
    place: str
    #: Starts it with arguments and environment.
    start: Callable[[list[str], dict[str, str]], dump_run.Stream]
    #: How the server is named there.
    host: str


def major(version: str) -> int:
    """Return the number that decides whether a pg_dump can read a server: the one before the first dot."""
    found = re.search(r"(\d+)(?:\.\d+|devel|beta\d+|rc\d+)?", version)
    return int(found[1]) if found else 0


def program_version(text: str) -> str:
    """Read what C(pg_dump --version) prints."""
    found = re.search(r"\(PostgreSQL\) (\S+)", text)
    return found[1] if found else ""


def argv_of(connection: Connection, program: str, host: str, lock_seconds: int = LOCK_SECONDS) -> list[str]:
    """Build the command line, which has no secret in it."""
    if connection.vendor == "postgresql":
        return [program, "--format=custom", "--no-password", f"--lock-wait-timeout={lock_seconds * 1000}"]
    # In one transaction, so that the site goes on; no-tablespaces, since these take a privilege that apps lack.
    words = [program, "--no-defaults", "--single-transaction", "--quick", "--hex-blob", "--no-tablespaces"]
    if host:
        words += ["--protocol=tcp", f"--host={host}", *([f"--port={connection.port}"] if connection.port else [])]
    elif connection.socket:
        words += [f"--socket={connection.socket}"]
    return [*words, f"--user={connection.user}", "--", connection.name]


def environment_of(connection: Connection, host: str, *, own_files: bool) -> dict[str, str]:
    """Return the environment; C(own_files) says that the program sees the app's files, so its certificates too."""
    if connection.vendor == "mysql":
        return {"MYSQL_PWD": connection.password}
    tls = dict(connection.tls) if own_files else {}
    if not own_files and connection.tls.get("PGSSLMODE"):
        mode = connection.tls["PGSSLMODE"]
        tls["PGSSLMODE"] = "require" if mode.startswith("verify-") else mode
    known = {
        "PGDATABASE": connection.name,
        "PGUSER": connection.user,
        "PGPASSWORD": connection.password,
        "PGHOST": connection.host if own_files else host,
        "PGPORT": connection.port,
        "PGCONNECT_TIMEOUT": "10",
        "PGAPPNAME": "juno.deploy dump",
        **tls,
    }
    return {name: value for name, value in known.items() if value}


def serves(container: engine.Container, connection: Connection) -> bool:
    """Return whether a container is the one that the app's connections go to."""
    if connection.address:
        return connection.address in container.addresses
    return bool(connection.host) and connection.host in (container.service, container.name)


def find_means(run: Runner, app: App, place: throwaway.Sandbox, connection: Connection) -> Means:
    """Return the first program that can dump the database.

    :raises NoMeansError: there is none; the message says what was looked at.
    """
    if connection.vendor not in PROGRAMS:
        raise NoMeansError(f"of a database of the kind {connection.vendor} no dump can be made")
    if connection.why:
        raise JunoError(
            f"The database {connection.words} does not answer, so it can't be dumped before its migrations "
            f"({hide(connection.why, connection.password)}); nothing was migrated and the old release serves: "
            "correct the cause and deploy again."
        )
    reasons = []
    for look in (_in_its_container, _on_host, _in_own_image):
        means, why = look(run, app, place, connection)
        if means:
            return means
        reasons.append(why)
    programs = " or ".join(PROGRAMS[connection.vendor])
    raise NoMeansError(f"no {programs} is there for {connection.words}: {'; '.join(reasons)}")


def _in_its_container(
    _run: Runner, app: App, _place: throwaway.Sandbox, connection: Connection
) -> tuple[Means | None, str]:
    client = engine.connect(app.docker_host)
    found = [one for one in engine.find(client, app.project) if one.state == "running" and serves(one, connection)]
    if len(found) != 1:
        return None, "its server is no container of the project"
    container = found[0]
    why = f"the container {container.name} has none"
    for program in PROGRAMS[connection.vendor]:
        try:
            answer = engine_exec.exec_argv(client, container, [program, "--version"], timeout_seconds=ASK_SECONDS)
        except EngineError:  # it isn't there: the Engine says so by an error or by 126, 127
            continue
        refusal = _refusal(connection, answer.stdout) if answer.rc == 0 else why
        if not refusal:

            def start(argv: list[str], environment: dict[str, str]) -> dump_run.Stream:
                return dump_run.ContainerStream(client, container, argv, environment)

            # Its own address: there the server listens, for the app, and knows the app's user.
            return Means(program, f"in the container {container.name}", start, connection.address or "127.0.0.1"), ""
        why = refusal
    return None, why


def _on_host(run: Runner, _app: App, _place: throwaway.Sandbox, connection: Connection) -> tuple[Means | None, str]:
    if not connection.address or connection.address.startswith(LOOPBACK):
        return None, "the host reaches no server by that name"
    why = "the host has none"
    for program in PROGRAMS[connection.vendor]:
        if shutil.which(program):
            answer = run([program, "--version"], timeout_seconds=ASK_SECONDS)
            why = _refusal(connection, answer.stdout) if answer.rc == 0 else "the host's own fails"
            if not why:
                return Means(program, "on the host", dump_run.HostStream, connection.address), ""
    return None, why


def _in_own_image(run: Runner, app: App, place: throwaway.Sandbox, connection: Connection) -> tuple[Means | None, str]:
    found = [one for one in PROGRAMS[connection.vendor] if one in connection.programs]
    if not found:
        return None, "the app's image has none"
    name = f"{app.project}-juno-{uuid.uuid4().hex[:12]}"

    def start(argv: list[str], environment: dict[str, str]) -> dump_run.Stream:
        words = throwaway.run_argv(app, place, name, *argv)
        # Named without their values, docker compose takes these from its own environment.
        at = words.index("--name")
        words[at:at] = [word for variable in environment for word in ("--env", variable)]
        return dump_run.HostStream(words, environment, lambda: _remove(run, name))

    return Means(found[0], OWN_IMAGE, start, connection.host), ""


def _remove(run: Runner, container: str) -> None:
    run(["docker", "rm", "--force", container], timeout_seconds=ASK_SECONDS)


def _refusal(connection: Connection, printed: str) -> str:
    """Return why a program can't read the server, if so: pg_dump refuses one that is newer than itself."""
    if connection.vendor != "postgresql":
        return ""
    own, server = program_version(printed), connection.version
    if not own:
        return "what is called pg_dump there isn't PostgreSQL's"
    older = major(server) > major(own)
    return f"the one there is of version {own}, older than the server's {server.split()[0]}" if older else ""
