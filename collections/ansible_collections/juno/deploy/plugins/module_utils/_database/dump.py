# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dumps of database servers from before migrations. Private to juno.deploy: no stable interface.

The program is taken from the database's own container, else from the host, else from the app's image. It is of the
server's version in the first, and connects to the address that the app connects to, as the same user.

Where the password goes: only the app's settings have it, so the app's Python, in a throwaway container, writes it into
a file with mode 0600 in a directory below the state root, which is removed as soon as it was read. From there it goes
to the program by its environment: through the Engine's socket, or from this process. It is on no command line, in no
output and in no journal; what a program says is searched for it before it is shown.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import re
import shutil
import stat
import tempfile
import time
import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError, JunoError, TookTooLongError
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway
from ansible_collections.juno.deploy.plugins.module_utils._database import backup, dump_run

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

#: Programs by Django's name for a kind of server, the first that is there is taken.
PROGRAMS = {"postgresql": ("pg_dump",), "mysql": ("mariadb-dump", "mysqldump")}
ENDINGS = {"postgresql": "dump", "mysql": "sql.gz"}
#: How long a dump waits for a table that others have locked.
LOCK_SECONDS = 30
#: For a program to tell its version, and for the app to tell how its database is reached.
ASK_SECONDS = 60
#: Where the app's Python writes.
CONNECTION_DIRECTORY = "/juno/connection"
CONNECTION_NAME = "connection.json"
CONNECTION_BYTES = 64 * 1024
#: The app's own loopback is none of the host.
LOOPBACK = ("127.", "::1")


class NoMeansError(JunoError):
    """Nothing here can dump the database."""


@dataclasses.dataclass(frozen=True)
class Connection:
    """How the app reaches its database."""

    vendor: str
    name: str
    user: str
    password: str = dataclasses.field(repr=False)
    host: str
    port: str = ""
    #: The address that the host's name has for the app.
    address: str = ""
    socket: str = ""
    tls: dict[str, str] = dataclasses.field(default_factory=dict)
    #: The programs that the app's image has.
    programs: tuple[str, ...] = ()
    bytes: int = 0
    version: str = ""
    #: Why it doesn't answer, if so.
    why: str = ""

    @property
    def words(self) -> str:
        """The database, for messages."""
        return f"{self.name} ({self.vendor} at {self.host or self.socket or 'its socket'})"


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


def is_whole(vendor: str, first: bytes, last: bytes) -> bool:
    """Return whether what was printed begins, or ends, as a whole dump does."""
    return first.startswith(b"PGDMP") if vendor == "postgresql" else b"Dump completed" in last


def hide(text: str, secret: str) -> str:
    """Take a password out of a text."""
    return text.replace(secret, "********") if secret else text


def serves(container: engine.Container, connection: Connection) -> bool:
    """Return whether a container is the one that the app's connections go to."""
    if connection.address:
        return connection.address in container.addresses
    return bool(connection.host) and connection.host in (container.service, container.name)


def dump(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    number: int,
    now: datetime.datetime,
    seconds: float,
) -> dict[str, t.Any]:
    """Dump the database that is migrated, onto the disk, while the site uses it.

    :raises NoMeansError: nothing here can; the message says why.
    :raises JunoError: it failed, there is no room, or it took too long; nothing was changed.
    """
    began = time.monotonic()
    connection = read_connection(run, app, place, mounts)
    directory = backup.directory_of(app)
    name = backup.name_of(connection.name, ENDINGS.get(connection.vendor, "dump"), number, now)
    means = find_means(run, app, place, connection)
    argv = argv_of(connection, means.program, means.host, max(1, min(LOCK_SECONDS, int(seconds))))
    environment = environment_of(connection, means.host, own_files=means.place == OWN_IMAGE)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        backup.require_room(directory, connection.bytes)
        size = f", which has {backup.in_mib(connection.bytes)} MiB," if connection.bytes else ""
        events.tell(f"dumps the database {connection.name}{size} by {means.program} {means.place}")
        count = dump_run.save(
            lambda: means.start(argv, environment),
            directory,
            name,
            seconds=seconds,
            compress=connection.vendor == "mysql",
            whole=lambda first, last: is_whole(connection.vendor, first, last),
        )
    except (OSError, TookTooLongError, EngineError) as exc:
        raise JunoError(
            f"The database {connection.words} could not be dumped to {directory} before its migrations by "
            f"{means.program} {means.place} ({hide(str(exc), connection.password)}); nothing was migrated and the old "
            "release serves: correct the cause, or set 'migrate.backup' to never, and deploy again."
        ) from None  # what it carries may have the password
    return {
        "kind": "dump",
        "database": connection.words,
        "path": os.path.join(directory, name),
        "bytes": count,
        "seconds": round(time.monotonic() - began, 2),
    }


OWN_IMAGE = "in the app's image"


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
            answer = engine.exec_argv(client, container, [program, "--version"], timeout_seconds=ASK_SECONDS)
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


def read_connection(run: Runner, app: App, place: throwaway.Sandbox, mounts: list[dict[str, str]]) -> Connection:
    """Ask the app's settings how the database is reached.

    :raises JunoError: they don't tell; nothing was changed.
    """
    events.tell("asks the app how its database is reached")
    with _written(run, app, place, mounts, copy_seconds=0) as path:
        return parse_connection(_read_connection(path))


def copy_from_volume(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    database: dict[str, t.Any],
    number: int,
    now: datetime.datetime,
) -> dict[str, t.Any]:
    """Copy a database that is a file in a volume: the app's Python does it, in a throwaway container.

    :raises JunoError: it can't be copied; nothing was changed.
    """
    began = time.monotonic()
    directory = backup.directory_of(app)
    name = backup.name_of(os.path.splitext(os.path.basename(database["path"]))[0], "sqlite3", number, now)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # There is one in the container's hands first.
        backup.require_room(directory, 2 * database["bytes"])
        events.tell(f"copies the database {database['path']} ({backup.in_mib(database['bytes'])} MiB)")
        with _written(run, app, place, mounts, copy_seconds=backup.LOCKED_SECONDS) as path:
            count = _take(path, directory, name)
    except OSError as exc:
        raise JunoError(
            f"The database {database['path']} could not be copied to {directory} before its migrations ({exc}); "
            "nothing was migrated and the old release serves: correct the cause and deploy again."
        ) from exc
    return {
        "kind": "volume",
        "database": database["path"],
        "path": os.path.join(directory, name),
        "bytes": count,
        "seconds": round(time.monotonic() - began, 2),
    }


def _take(path: str, directory: str, name: str) -> int:
    """Copy what a container wrote into a file of our own: whoever has its own open could still write there."""
    with _opened(path) as written, backup.whole(directory, name) as (_part, handle):
        with open(handle, "wb", closefd=False) as file:
            shutil.copyfileobj(written, file)
        return os.fstat(handle).st_size


@contextlib.contextmanager
def _written(
    run: Runner, app: App, place: throwaway.Sandbox, mounts: list[dict[str, str]], *, copy_seconds: float
) -> Iterator[str]:
    """Have the app's Python write how its database is reached (or a copy of it), and return the file for a while.

    :raises JunoError: it doesn't; nothing was changed.
    """
    os.makedirs(app.build_root, mode=0o750, exist_ok=True)
    # Where a later run sweeps. Nobody passes the outer one; the app's user, whoever that is, writes into the inner one.
    outer = tempfile.mkdtemp(prefix="connection-", dir=app.build_root)
    try:
        inner = os.path.join(outer, "in")
        os.mkdir(inner)
        os.chmod(inner, 0o777)  # noqa: S103 - only root gets as far as this
        answer = throwaway.ask(
            run,
            app,
            place,
            timeout_seconds=ASK_SECONDS + copy_seconds,
            volumes=(f"{inner}:{CONNECTION_DIRECTORY}",),
            mode="connect",
            mounts=mounts,
            copy_seconds=copy_seconds,
            secret_path=f"{CONNECTION_DIRECTORY}/{CONNECTION_NAME}",
        )
        rc = (answer.results.get("connected") or {"rc": 127})["rc"]
        if rc:
            failure = answer.results.get("failure:start") or answer.results.get("not_looked") or {}
            raise JunoError(
                f"The code of {place.commit[:12]} does not give its database, so that can't be copied before its "
                f"migrations ({throwaway.reason(rc, failure)}); nothing was migrated and the old release serves: "
                "correct the cause, or set 'migrate.backup' to never, and deploy again."
            )
        yield os.path.join(inner, CONNECTION_NAME)
    finally:
        shutil.rmtree(outer)


def _opened(path: str) -> t.IO[bytes]:
    """Open what a container wrote: a file and no link.

    :raises OSError: it is something else.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    seen = os.fstat(handle)
    if not stat.S_ISREG(seen.st_mode) or seen.st_nlink != 1:
        os.close(handle)
        raise OSError(f"{path} is no file of its own")
    return open(handle, "rb")


def _read_connection(path: str) -> bytes:
    """Read what a container wrote, and no more than it can be.

    :raises JunoError: it is something else.
    """
    try:
        with _opened(path) as file:
            return file.read(CONNECTION_BYTES)
    except OSError as exc:
        raise JunoError(f"What the app tells of its database can't be read ({exc}): deploy again.") from exc


def parse_connection(raw: bytes) -> Connection:
    """Read what the app's Python wrote.

    :raises JunoError: it is something else.
    """
    known = {field.name for field in dataclasses.fields(Connection)}
    try:
        fields = {key: value for key, value in json.loads(raw).items() if key in known}
        return Connection(**{**fields, "programs": tuple(fields["programs"])})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        what = type(exc).__name__  # its words may have the password
        raise JunoError(f"What the app tells of its database can't be read ({what}): deploy again.") from None


def back_up(
    run: Runner,
    app: App,
    place: throwaway.Sandbox,
    mounts: list[dict[str, str]],
    database: dict[str, t.Any],
    spec: backup.BackupSpec | None = None,
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Copy or dump the database that is migrated; return the copies, and why there is none.

    :param spec: without one it is as the release at work has written it down.
    :raises JunoError: it can't be copied and must be, or it failed; nothing was migrated.
    """
    spec, number = spec or backup.spec_of(app), backup.number_of(app)
    now = datetime.datetime.now(datetime.timezone.utc)
    if spec.when == "never" or database["where"] == "none":
        return [], []
    if database["file"] and not database["bytes"]:
        return [], []  # the migrations make it
    try:
        if database["file"] and database["host_path"]:
            done = backup.copy_file(database["host_path"], backup.directory_of(app), number, now)
        elif database["file"] and database["where"] == "volume":
            done = copy_from_volume(run, app, place, mounts, database, number, now)
        elif database["file"]:
            raise NoMeansError(f"the database {database['path']} is a file in the container, and goes with it")
        else:
            done = dump(run, app, place, mounts, number, now, spec.timeout_seconds)
    except NoMeansError as exc:
        if spec.when == "always":
            raise JunoError(
                f"There is no copy of the database from before the migrations, and 'migrate.backup' is always: "
                f"{exc.message}; nothing was migrated and the old release serves: provide for one, or set "
                "'migrate.backup' to auto."
            ) from None
        return [], [exc.message]
    backup.remember(app, [done])
    return [done], []
