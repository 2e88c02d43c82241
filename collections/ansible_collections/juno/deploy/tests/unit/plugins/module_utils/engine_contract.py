# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection's code calls on the Docker SDK, and what it reads from the answers: one table for two Engines.

C(test_fake_engine.py) runs it against the fake, the integration target C(engine_contract) against a real Engine, so
that unit tests with the fake don't rest on answers that no Engine gives. One thing is left out on purpose: containers
of the fake have no processes (C(State.Pid) is 0), since the code under test would send them signals.
"""

from __future__ import annotations

import concurrent.futures
import io
import tarfile
import typing as t

import docker.errors
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._switch import writable_layer

T = t.TypeVar("T")
#: How long a task may take, and what an Engine shows a moment later.
ENDS_SECONDS, CHANGES_SECONDS = 20, 10
#: The exit codes of a program that is not there, by the Engine's version.
NO_PROGRAM = (126, 127)
MISSING = "juno-no-such-container"


class Stage(t.Protocol):
    """An Engine, and the means to put things there that the code itself lets docker compose make."""

    client: t.Any
    #: Its containers and images carry the label of this compose project.
    project: str
    #: A network that no container is connected to from the start.
    network: str
    #: The name of the image that containers are made from, and its id.
    image: str
    image_id: str

    def add(self, service: str, state: str = "running", *, number: int = 1, oneoff: bool = False) -> str:
        """Make a container in a state (created, running, paused, exited, restarting); return its id.

        It logs a line, ends on TERM, and goes on after USR2.
        """

    def add_task(self, service: str, code: int) -> str:
        """Make a container that ends with a code as soon as it is started."""

    def add_linked(self, service: str, link: str) -> str:
        """Make a running container with a link (C(CONTAINER:ALIAS)) in the network; return its id."""

    def add_checked(self, service: str) -> str:
        """Make a running container whose own health check fails and prints C(refused)."""

    def write(self, identity: str, path: str) -> None:
        """Let a running container write a file."""

    def give_program(self, identity: str) -> list[str]:
        """Return an argv that prints C(out) and C(err) in a container, and ends with 3."""

    def build(self, name: str) -> str:
        """Make an image of the project with a name; return its id."""

    def name(self, service: str, number: int = 1) -> str:
        """Return the name of a container."""

    def push(self) -> tuple[str, str]:
        """Return the name of an image that a registry has, and its digest there."""


class Case(t.NamedTuple):
    """Something that is asked of an Engine, and the facts that must come of it."""

    what: str
    ask: t.Callable[[Stage], t.Any]
    facts: t.Any


def differences(stage: Stage, threads: int = 1) -> list[str]:
    """Run the whole table, some cases at a time; return what is otherwise, a line for each."""

    def difference(case: Case) -> str:
        try:
            facts = case.ask(stage)
        except Exception as exc:  # noqa: BLE001 - it is named with the others
            facts = exc
        return "" if facts == case.facts else f"{case.what}: {facts!r} instead of {case.facts!r}"

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return [line for line in pool.map(difference, CASES) if line]


def _refusal(call: t.Callable[..., t.Any], *args: t.Any, **options: t.Any) -> str:
    """Return how a call was refused, by what the code looks at: the kind of error, its status, and its words."""
    try:
        call(*args, **options)
    except docker.errors.APIError as exc:
        words = "" if exc.explanation else " without words"
        return f"{type(exc).__name__} {exc.response.status_code}{words}"
    return ""


def _state(stage: Stage, identity: str) -> str:
    return str(stage.client.api.inspect_container(identity)["State"]["Status"])


def _until(ask: t.Callable[[], T], good: t.Callable[[T], bool]) -> T:
    """Ask until the answer is good, or time is up; return the last one.

    An Engine's list may lag behind for a moment, and what is started again and again is not always seen at it.
    """
    answer = ask()

    def is_good() -> bool:
        nonlocal answer
        answer = ask()
        return good(answer)

    wait_for(is_good, CHANGES_SECONDS)
    return answer


def _find(stage: Stage, service: str, state: str) -> engine.Container:
    """Return the one container of a service, once it is listed in a state."""
    found = _until(
        lambda: engine.find(stage.client, stage.project, service, stopped=True), lambda some: some[0].state == state
    )
    return found[0]


# Containers, listed and looked at

STATES = ("created", "running", "paused", "restarting", "exited")
EVERY = list(enumerate(STATES, 1))
RUNNING = EVERY[1:4]


def _listed(stage: Stage) -> t.Any:
    for number, state in enumerate(STATES, 1):
        stage.add("listed", state, number=number)
    stage.add("listed", number=9, oneoff=True)

    def states(*, stopped: bool) -> list[tuple[int, str]]:
        found = engine.find(stage.client, stage.project, "listed", stopped=stopped)
        return [(one.number, one.state) for one in found]

    return [_until(lambda: states(stopped=False), RUNNING.__eq__), _until(lambda: states(stopped=True), EVERY.__eq__)]


def _listed_everywhere(stage: Stage) -> t.Any:
    """Return whether those of all projects are listed, too."""
    api, one, ended = stage.client.api, stage.add("everywhere", "running"), stage.add("everywhere", "exited", number=2)
    _find(stage, "everywhere", "running")
    listed = [api.containers(all=False, filters={}), api.containers(all=True)]
    there = [{each["Id"] for each in some} for some in listed]
    (entry,) = [each for each in listed[1] if each["Id"] == one]
    return (one in there[0], {one, ended} <= there[1], entry["Ports"], entry["ImageID"] == stage.image_id)


def _seen(stage: Stage, state: str) -> t.Any:
    """Return what the list says of a container in a state, and then what it says when it is asked for that one."""
    identity = stage.add(f"seen-{state}", state)
    one = _find(stage, f"seen-{state}", state)
    mine = (one.id, one.name, one.image_id) == (identity, stage.name(f"seen-{state}"), stage.image_id)
    listed = (mine, len(one.addresses), one.ports, one.published, one.status.partition(" ")[0], one.created > 0)
    seen = _until(
        lambda: stage.client.api.inspect_container(identity), lambda answer: bool(answer["State"]["Status"] == state)
    )
    facts = seen["State"]
    # One that is started again and again has a count, and an exit code.
    counts = (facts["ExitCode"], seen["RestartCount"] > 0)
    return (*listed, facts["Status"], facts["Running"], facts["Restarting"], *counts, facts.get("Health"))


def _configured(stage: Stage) -> t.Any:
    identity = stage.add("configured")
    seen = stage.client.api.inspect_container(identity)
    config, host = seen["Config"], seen["HostConfig"]
    return {
        "id": seen["Id"] == identity,
        "name": seen["Name"] == f"/{stage.name('configured')}",
        "image": (seen["Image"] == stage.image_id, config["Image"] == stage.image),
        "set": [config.get(key) or None for key in ("User", "Entrypoint", "Healthcheck")],
        "environment": all("=" in one for one in config["Env"]),
        "mounts": seen["Mounts"],
        "ports": host["PortBindings"] or {},
        "policy": host["RestartPolicy"]["Name"] or "no",
        "networks": len(seen["NetworkSettings"]["Networks"]),
    }


def _health(stage: Stage) -> t.Any:
    identity = stage.add_checked("checked")
    seen = stage.client.api.inspect_container(identity)
    health = seen["State"]["Health"]
    own = bool(seen["Config"].get("Healthcheck"))
    return (seen["State"]["Running"], health["Status"], health["Log"][-1]["Output"], own)


def _missing(stage: Stage) -> t.Any:
    api = stage.client.api
    calls = {
        "inspect": lambda: api.inspect_container(MISSING),
        "start": lambda: api.start(MISSING),
        "stop": lambda: api.stop(MISSING, timeout=30),
        "restart": lambda: api.restart(MISSING, timeout=30),
        "kill": lambda: api.kill(MISSING, "SIGUSR2"),
        "rename": lambda: api.rename(MISSING, f"{MISSING}-2"),
        "remove": lambda: api.remove_container(MISSING, force=True),
        "update": lambda: api.update_container(MISSING, restart_policy={"Name": "no"}),
        "connect": lambda: api.connect_container_to_network(MISSING, stage.network, aliases=[]),
        "diff": lambda: api.diff(MISSING),
        "logs": lambda: api.logs(MISSING, tail=5),
        "top": lambda: api.top(MISSING),
        "exec": lambda: api.exec_create(MISSING, ["true"]),
        "put": lambda: api.put_archive(MISSING, "/", _packed("a", b"")),
        "get": lambda: api.get_archive(MISSING, "/"),
    }
    return {name: how for name, call in calls.items() if (how := _refusal(call)) != "NotFound 404"}


# What is done to containers


def _start(stage: Stage, state: str) -> t.Any:
    identity = stage.add(f"start-{state}", state)
    return (_refusal(stage.client.api.start, identity), _state(stage, identity))


def _restart(stage: Stage, state: str) -> t.Any:
    identity = stage.add(f"again-{state}", state)
    return (_refusal(stage.client.api.restart, identity, timeout=30), _state(stage, identity))


def _restarts(stage: Stage) -> t.Any:
    """Return whether the count of restarts outlives a stop, and a start by hand."""
    api, identity = stage.client.api, stage.add("looped", "restarting")
    api.stop(identity, timeout=30)
    counts = [api.inspect_container(identity)["RestartCount"] > 0]
    api.update_container(identity, restart_policy={"Name": "no"})
    api.start(identity)
    return [*counts, api.inspect_container(identity)["RestartCount"] > 0]


def _task(stage: Stage, code: int) -> t.Any:
    api, identity = stage.client.api, stage.add_task(f"task-{code}", code)
    api.start(identity)
    wait_for(lambda: not api.inspect_container(identity)["State"]["Running"], ENDS_SECONDS)
    seen, one = api.inspect_container(identity), _find(stage, f"task-{code}", "exited")
    return (seen["State"]["Status"], seen["State"]["ExitCode"], one.status.startswith(f"Exited ({code})"))


def _stop(stage: Stage, state: str) -> t.Any:
    identity = stage.add(f"stop-{state}", state)
    refused = _refusal(stage.client.api.stop, identity, timeout=30)
    seen = stage.client.api.inspect_container(identity)["State"]
    # That of one which was stopped in a loop is its own.
    return (refused, seen["Status"], seen["Running"], None if state == "restarting" else seen["ExitCode"])


def _ask_running(stage: Stage, state: str) -> t.Any:
    """Return what of that which only a running container can do is refused in a state."""
    api, identity = stage.client.api, stage.add(f"ask-{state}", state)
    calls = {
        "kill": lambda: api.kill(identity, "SIGUSR2"),
        "exec": lambda: api.exec_create(identity, ["true"]),
        "top": lambda: api.top(identity),
    }
    return {name: _refusal(call) for name, call in calls.items()} | {"state": _state(stage, identity)}


def _remove(stage: Stage, state: str, *, force: bool = False) -> t.Any:
    identity = stage.add(f"remove-{state}-{force}".lower(), state)
    refused = _refusal(stage.client.api.remove_container, identity, force=force)
    there = engine.find(stage.client, stage.project, f"remove-{state}-{force}".lower(), stopped=True)
    return (refused, len(there))


def _rename(stage: Stage) -> t.Any:
    api, one, other = stage.client.api, stage.add("renamed"), stage.add("other")
    taken = _refusal(api.rename, one, stage.name("other"))
    api.rename(one, stage.name("given"))
    found = [each.name for each in engine.find(stage.client, stage.project, "renamed")]
    seen = [api.inspect_container(each)["Name"].lstrip("/") for each in (one, other)]
    return (taken, found == [stage.name("given")], seen == [stage.name("given"), stage.name("other")])


def _policies(stage: Stage) -> t.Any:
    api, identity, found = stage.client.api, stage.add("policy", "created"), []
    for policy in ({"Name": "always"}, {"Name": "on-failure", "MaximumRetryCount": 3}, {"Name": "no"}):
        api.update_container(identity, restart_policy=policy)
        seen = api.inspect_container(identity)["HostConfig"]["RestartPolicy"]
        found.append((seen["Name"], seen["MaximumRetryCount"]))
    return found


def _network(stage: Stage) -> t.Any:
    api, identity = stage.client.api, stage.add("connected")
    nowhere = _refusal(api.connect_container_to_network, identity, f"{stage.network}-none", aliases=["web"])
    api.connect_container_to_network(identity, stage.network, aliases=["web"])
    twice = _refusal(api.connect_container_to_network, identity, stage.network, aliases=["web"])
    there = stage.network in api.inspect_container(identity)["NetworkSettings"]["Networks"]
    listed = {one["Name"]: one["EnableIPv6"] for one in api.networks(names=[stage.network])}
    return (nowhere, there, bool(twice), listed[stage.network], api.networks(names=[f"{stage.network}-none"]))


def _links(stage: Stage) -> t.Any:
    """Return the links of a container, and what one without any has in their place."""
    other, linked = stage.add("linked-to"), stage.add_linked("linked", f"{stage.name('linked-to')}:site")
    networks = [stage.client.api.inspect_container(one)["NetworkSettings"]["Networks"] for one in (linked, other)]
    found = [[place.get("Links") or [] for place in some.values()] for some in networks]
    return [[link.replace(stage.name("linked-to"), "other") for one in some for link in one] for some in found]


# What is in containers


def _told(stage: Stage) -> t.Any:
    """Return what kind of answers there are about what goes on in a container."""
    api, identity = stage.client.api, stage.add("told")
    pieces = list(api.logs(identity, stream=True, follow=False, tail=5))
    whole = [api.logs(identity, tail=5), api.logs(identity, tail=5, until=1), api.logs(identity, since=2**31)]
    logs = (all(isinstance(one, bytes) for one in [*whole, *pieces]), b"".join(pieces) == whole[0], bool(whole[0]))
    return (*logs, "PID" in api.top(identity)["Titles"])


def _written(stage: Stage) -> t.Any:
    api, identity = stage.client.api, stage.add("written")
    before = writable_layer.files(api.diff(identity))
    stage.write(identity, "/srv/by-hand.txt")
    return (before, writable_layer.files(api.diff(identity)))


def _exec(stage: Stage) -> t.Any:
    """Run a program, whole and piece by piece, and one that is not there, which is no error of the Engine's."""
    api, identity = stage.client.api, stage.add("exec")
    argv = stage.give_program(identity)
    made = api.exec_create(identity, argv, stdout=True, stderr=True, environment={"A": "1"}, workdir="/", user="")
    out = api.exec_start(made["Id"], demux=True)
    seen = api.exec_inspect(made["Id"])
    parts = list(api.exec_start(api.exec_create(identity, argv)["Id"], stream=True, demux=True))
    streamed = [b"".join(part[which] or b"" for part in parts) for which in (0, 1)]
    none = api.exec_create(identity, ["juno-no-such-program"])["Id"]
    said = b"".join(filter(None, api.exec_start(none, demux=True)))
    missing = (b"juno-no-such-program" in said, api.exec_inspect(none)["ExitCode"] in NO_PROGRAM)
    return (out, seen["ExitCode"], seen["Running"], streamed, missing)


def _packed(name: str, content: bytes) -> io.BytesIO:
    made, member = io.BytesIO(), tarfile.TarInfo(name)
    member.size = len(content)
    with tarfile.open(fileobj=made, mode="w") as packed:
        packed.addfile(member, io.BytesIO(content))
    made.seek(0)
    return made


def _archives(stage: Stage, state: str) -> t.Any:
    api, identity = stage.client.api, stage.add(f"archive-{state}", state)
    done = api.put_archive(identity, "/", _packed("srv/static/css/a.1.css", b"body {}"))
    found = {}
    for path in ("/srv/static", "/srv/static/css/a.1.css"):
        chunks, facts = api.get_archive(identity, path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as packed:
            found[path] = [(one.name, one.isdir()) for one in packed]
    return (done, found, facts["size"], [_refusal(api.get_archive, identity, "/srv/none"), _put_nowhere(api, identity)])


def _put_nowhere(api: t.Any, identity: str) -> str:
    return _refusal(api.put_archive, identity, "/srv/none", _packed("a", b""))


ARCHIVED = {
    "/srv/static": [("static", True), ("static/css", True), ("static/css/a.1.css", False)],
    "/srv/static/css/a.1.css": [("a.1.css", False)],
}
ARCHIVE_FACTS = (True, ARCHIVED, 7, ["NotFound 404", "NotFound 404"])


# Images, and the Engine itself


def _image(stage: Stage) -> t.Any:
    api = stage.client.api
    seen = [api.inspect_image(one) for one in (stage.image, f"{stage.image}:latest", stage.image_id)]
    facts = [one["Id"] == stage.image_id for one in seen]
    config = seen[0]["Config"]
    lists = [isinstance(one, list) for one in (seen[0]["RepoDigests"], config.get("Env") or [])]
    return (facts, lists, config.get("Healthcheck"), engine.image_id(stage.client, f"{stage.image}:none"))


def _images(stage: Stage) -> t.Any:
    api, identity = stage.client.api, stage.build(f"{stage.project}-listed")
    tagged = [
        api.tag(one, f"{stage.project}-listed", tag, force=True)
        for one, tag in ((identity, "juno-1"), (f"{stage.project}-listed:juno-1", "juno-2"))
    ]
    label = f"com.docker.compose.project={stage.project}"
    (one,) = [each for each in api.images(filters={"label": label}) if each["Id"] == identity]
    everywhere = {each["Id"] for each in api.images()}
    nobodys = api.images(filters={"label": f"{label}-none"})
    labelled = one["Labels"]["com.docker.compose.project"] == stage.project
    tags = [f"{stage.project}-listed:{tag}" for tag in ("juno-1", "juno-2", "latest")]
    return (tagged, sorted(one["RepoTags"]) == tags, labelled, identity in everywhere, nobodys)


def _no_image(stage: Stage) -> t.Any:
    api = stage.client.api
    calls = {
        "inspect": lambda: api.inspect_image(f"{stage.project}-none"),
        "inspect by tag": lambda: api.inspect_image(f"{stage.image}:none"),
        "tag": lambda: api.tag(f"sha256:{'0' * 64}", f"{stage.project}-none", "latest", force=True),
        "untag": lambda: api.remove_image(f"{stage.image}:none", noprune=False),
    }
    return {name: how for name, call in calls.items() if (how := _refusal(call)) != "ImageNotFound 404"}


def _untag(stage: Stage) -> t.Any:
    """Take the names of images away: one of two, the last one of one in use, the last one of one that nobody uses."""
    api, free, name = stage.client.api, stage.build(f"{stage.project}-free"), f"{stage.image}:juno-2"
    stage.add("uses", "exited")
    api.tag(stage.image_id, stage.image, "juno-2", force=True)
    taken = [engine.untag(stage.client, one) for one in (name, stage.image, f"{stage.project}-free:latest")]
    left = [engine.image_id(stage.client, one) for one in (name, stage.image, free)]
    return (taken, left == ["", stage.image_id, ""])


def _registry(stage: Stage) -> t.Any:
    """Ask a registry for an image, for one that it has not, and one that nobody answers for."""
    api, (name, digest) = stage.client.api, stage.push()
    found = api.inspect_distribution(name)["Descriptor"]["digest"] == digest
    refused = [_refusal(api.inspect_distribution, one) for one in (f"{name}-none", "down.example/none:1")]
    return (found, refused[0], refused[1].startswith("APIError 50") and not refused[1].endswith("without words"))


def _engine(stage: Stage) -> t.Any:
    numbers = stage.client.api.api_version.split(".")
    return (stage.client.info()["DockerRootDir"][:1], all(one.isdigit() for one in numbers))


CONFIGURED = {
    "id": True,
    "name": True,
    "image": (True, True),
    "set": [None, None, None],
    "environment": True,
    "mounts": [],
    "ports": {},
    "policy": "no",
    "networks": 1,
}
REFUSED = "APIError 409"
# By state. The list: is it mine, how many addresses, ports, published ports, the first word of its status, has it a
# time. Then its own state, whether it runs, is being started again, how it ended, whether it has a count, its health.
SEEN = {
    "created": (True, 0, (), (), "Created", True, "created", False, False, 0, False, None),
    "running": (True, 1, (), (), "Up", True, "running", True, False, 0, False, None),
    "paused": (True, 1, (), (), "Up", True, "paused", True, False, 0, False, None),
    "restarting": (True, 0, (), (), "Restarting", True, "restarting", True, True, 3, True, None),
    "exited": (True, 0, (), (), "Exited", True, "exited", False, False, 0, False, None),
}
STARTED = {
    "created": ("", "running"),
    "running": ("", "running"),
    "paused": (REFUSED, "paused"),
    "exited": ("", "running"),
}
RESTARTED = dict.fromkeys(("created", "running", "exited"), ("", "running"))
STOPPED = {
    "created": ("", "created", False, 0),
    "running": ("", "exited", False, 0),
    "restarting": ("", "exited", False, None),
    "exited": ("", "exited", False, 0),
}
ASKED = {
    "created": {"kill": REFUSED, "exec": REFUSED, "top": REFUSED, "state": "created"},
    "exited": {"kill": REFUSED, "exec": REFUSED, "top": REFUSED, "state": "exited"},
    "running": {"kill": "", "exec": "", "top": "", "state": "running"},
}
REMOVED = {
    "created": ("", 0),
    "running": (REFUSED, 1),
    "paused": (REFUSED, 1),
    "restarting": (REFUSED, 1),
    "exited": ("", 0),
}


def _by_state(what: str, ask: t.Callable[[Stage, str], t.Any], facts: dict[str, t.Any]) -> list[Case]:
    def of(state: str) -> t.Callable[[Stage], t.Any]:
        return lambda stage: ask(stage, state)

    return [Case(f"{what}, {state}", of(state), expected) for state, expected in facts.items()]


CASES = [
    Case("containers are listed by labels", _listed, [RUNNING, EVERY]),
    Case("containers are listed without labels", _listed_everywhere, (True, True, [], True)),
    Case("of another project none are", lambda stage: engine.find(stage.client, f"{stage.project}-none"), []),
    *_by_state("what is said of a container", _seen, SEEN),
    Case("a container's configuration", _configured, CONFIGURED),
    Case("a container's own health check", _health, (True, "unhealthy", "refused\n", True)),
    Case("a container that is not there", _missing, {}),
    *_by_state("start", _start, STARTED),
    *_by_state("restart", _restart, RESTARTED),
    Case("the count of restarts", _restarts, [True, False]),
    Case("a task that ends well", lambda stage: _task(stage, 0), ("exited", 0, True)),
    Case("a task that ends badly", lambda stage: _task(stage, 3), ("exited", 3, True)),
    *_by_state("stop", _stop, STOPPED),
    *_by_state("what needs a running container", _ask_running, ASKED),
    *_by_state("remove", _remove, REMOVED),
    Case("remove by force", lambda stage: _remove(stage, "running", force=True), ("", 0)),
    Case("rename", _rename, (REFUSED, True, True)),
    Case("restart policies", _policies, [("always", 0), ("on-failure", 3), ("no", 0)]),
    Case("links", _links, [["other:site"], []]),
    Case("networks", _network, ("NotFound 404", True, True, False, [])),
    Case("logs and processes", _told, (True, True, True, True)),
    Case("what a container has written", _written, ([], ["/srv/by-hand.txt"])),
    Case("programs in a container", _exec, ((b"out\n", b"err\n"), 3, False, [b"out\n", b"err\n"], (True, True))),
    *_by_state("archives", _archives, {"created": ARCHIVE_FACTS, "running": ARCHIVE_FACTS}),
    Case("an image", _image, ([True, True, True], [True, True], None, "")),
    Case("images are listed by labels", _images, ([True, True], True, True, True, [])),
    Case("an image that is not there", _no_image, {}),
    Case("names of images", _untag, ([True, False, True], True)),
    Case("a registry", _registry, (True, "NotFound 404", True)),
    Case("the Engine", _engine, ("/", True)),
]
