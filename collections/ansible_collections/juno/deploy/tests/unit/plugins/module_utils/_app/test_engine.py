# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers of a compose project, from what an Engine 20.10 listed."""

from __future__ import annotations

import re
import sys
import typing as t

import docker.errors
import pytest
import requests.exceptions
from ansible_collections.juno.deploy.plugins.module_utils._app import engine as app_engine
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container, Published
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError

from .listed_containers import LISTED, listed

app_engine.load()


class Engine:
    """The listing part of an Engine: filters by labels, and leaves out what is stopped unless asked."""

    def __init__(self, *entries: dict[str, t.Any], error: Exception | None = None) -> None:
        self.entries = entries
        self.error = error
        self.api = self

    def containers(self, *, all: bool, filters: dict[str, list[str]]) -> list[dict[str, t.Any]]:  # noqa: A002
        if self.error:
            raise self.error
        wanted = dict(label.split("=", 1) for label in filters["label"])
        return [
            entry
            for entry in self.entries
            if wanted.items() <= entry["Labels"].items() and (all or entry["State"] in ("running", "paused"))
        ]


def test_a_running_container_is_read() -> None:
    assert app_engine.parse_container(LISTED) == Container(
        id="19f8a91950531ff6aaa049cdec2bd9408bd342e740dcf836ba197c8e1fb99f9d",
        name="shop-web-1",
        service="web",
        number=1,
        state="running",
        image_id="sha256:1eef73fcfb5ae88398a17874f5f69e65701afa5253f991e69473407fa82aba53",
        addresses=("172.18.0.2",),
        ports=(8000, 11211),
        published=(Published(8000, "127.0.0.1:18391"),),
    )


def test_a_stopped_container_has_no_address() -> None:
    one = app_engine.parse_container(listed(state="exited"))
    assert (one.state, one.addresses, one.ports, one.published) == ("exited", (), (), ())


@pytest.mark.parametrize(
    ("networks", "addresses"),
    [
        ({}, ()),
        ({"b": {"IPAddress": "172.19.0.2"}, "a": {"IPAddress": "172.18.0.2"}}, ("172.18.0.2", "172.19.0.2")),
        ({"a": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}, ("fd00::2",)),
        ({"host": {"IPAddress": "", "GlobalIPv6Address": ""}}, ()),
        (None, ()),
    ],
)
def test_addresses_come_in_the_order_of_the_networks(networks: t.Any, addresses: tuple[str, ...]) -> None:
    assert app_engine.parse_container({**LISTED, "NetworkSettings": {"Networks": networks}}).addresses == addresses


@pytest.mark.parametrize(
    ("ip", "address"),
    [("0.0.0.0", "0.0.0.0:8001"), ("::", "[::]:8001"), ("", "*:8001"), (None, "*:8001")],
)
def test_published_ports_are_written_as_a_person_would(ip: str | None, address: str) -> None:
    port = {"IP": ip, "PrivatePort": 8000, "PublicPort": 8001, "Type": "tcp"}
    assert app_engine.parse_container({**LISTED, "Ports": [port]}).published == (Published(8000, address),)


@pytest.mark.parametrize(("label", "number"), [("0", 0), ("1", 1), ("10", 10), ("100", 100), ("", 0), ("²", 0)])
def test_the_number_is_read_strictly(label: str, number: int) -> None:
    assert app_engine.parse_container(listed(number=label)).number == number


def test_a_container_of_no_project_is_read() -> None:
    one = app_engine.parse_container({"Id": "19f8a91950531ff6", "Names": None, "Labels": None, "Ports": None})
    assert (one.name, one.service, one.number, one.ports) == ("19f8a9195053", "", 0, ())


def test_labels_leave_out_one_off_containers() -> None:
    assert app_engine.labels("shop") == ["com.docker.compose.project=shop", "com.docker.compose.oneoff=False"]
    assert app_engine.labels("shop", "web")[-1] == "com.docker.compose.service=web"


def test_containers_are_found_in_order() -> None:
    engine = Engine(
        listed("web", "10"),
        listed("web", "2"),
        listed("memcached"),
        listed("web", "1", "exited"),
        listed("web", "3", oneoff="True"),
        listed("web", "4", project="other"),
    )
    assert [one.name for one in app_engine.find(engine, "shop")] == ["shop-memcached-1", "shop-web-2", "shop-web-10"]
    assert [one.name for one in app_engine.find(engine, "shop", "web")] == ["shop-web-2", "shop-web-10"]
    assert [one.number for one in app_engine.find(engine, "shop", "web", stopped=True)] == [1, 2, 10]


@pytest.mark.parametrize("error", [docker.errors.APIError("500"), requests.exceptions.ConnectionError("reset")])
def test_a_refusal_to_list_is_told(error: Exception) -> None:
    with pytest.raises(EngineError, match=r"refused to list the containers of shop \((500|reset)\)"):
        app_engine.find(Engine(error=error), "shop")


def test_running_containers_are_found() -> None:
    engine = Engine(listed("web", "1"), listed("web", "2", "exited"), listed("web", "3", "paused"))
    assert [one.number for one in app_engine.find_running(engine, "shop", "web")] == [1]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "No container of the compose project 'shop' is on this host"),
        ([listed("web", project="other")], "No container of the compose project 'shop' is on this host"),
        ([listed("web", "1", "exited")], r"No container of the service 'web' .* runs \(shop-web-1 is exited\)"),
        ([listed("web", "1", "paused")], r"\(shop-web-1 is paused\)"),
        ([listed("worker"), listed("memcached")], "has no service 'web' with a container; it has: memcached, worker"),
    ],
)
def test_a_service_that_does_not_run_is_told_apart(entries: list[dict[str, t.Any]], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        app_engine.find_running(Engine(*entries), "shop", "web")


def test_an_engine_that_does_not_answer_is_told() -> None:
    with pytest.raises(EngineError, match=r"Engine at unix:///nowhere/docker.sock does not answer .*No such file"):
        app_engine.connect("unix:///nowhere/docker.sock")


def test_a_missing_sdk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker.errors", None)
    with pytest.raises(EngineError, match="install the package python3-docker"):
        app_engine.connect()


def test_what_the_sdk_raises_is_told() -> None:
    with (
        pytest.raises(EngineError, match=r"^The image can't be tagged \(500\)\.$"),
        app_engine.errors_as("The image can't be tagged"),
    ):
        raise docker.errors.APIError("500")


class Images:
    """The part of an Engine that knows images."""

    def __init__(self, answer: dict[str, str] | Exception) -> None:
        self.answer = answer
        self.api = self

    def inspect_image(self, _name: str) -> dict[str, str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_image_is_there_or_not() -> None:
    assert app_engine.image_id(Images({"Id": "sha256:1"}), "haproxy:3.0") == "sha256:1"
    assert app_engine.image_id(Images(docker.errors.ImageNotFound("no")), "haproxy:3.0") == ""


@pytest.mark.parametrize("error", [docker.errors.APIError("500"), requests.exceptions.ReadTimeout("slow")])
def test_a_refusal_to_look_at_an_image_is_told(error: Exception) -> None:
    with pytest.raises(EngineError, match=r"refused to look at the image haproxy:3\.0 \((500|slow)\)"):
        app_engine.image_id(Images(error), "haproxy:3.0")


def refusal(status: int) -> docker.errors.APIError:
    """Return what the SDK raises when the Engine answers with a status."""
    response = requests.Response()
    response.status_code = status
    return docker.errors.APIError(f"{status}", response=response)


@pytest.mark.parametrize(("error", "gone"), [(None, True), (refusal(409), False)])
def test_a_name_that_a_container_needs_stays(error: Exception | None, gone: bool) -> None:
    class Engine:
        def remove_image(self, name: str, *, noprune: bool) -> None:
            assert (name, noprune) == ("jobs-web:juno-1", False)
            if error:
                raise error

    engine = Engine()
    engine.api = engine  # type: ignore[attr-defined]
    assert app_engine.untag(engine, "jobs-web:juno-1") is gone


@pytest.mark.parametrize("error", [refusal(500), docker.errors.APIError("no answer at all")])
def test_a_name_that_cannot_be_taken_away_is_told(error: Exception) -> None:
    class Engine:
        def remove_image(self, _name: str, *, noprune: bool) -> None:
            raise error

    engine = Engine()
    engine.api = engine  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match=r"The old image x could not be removed \((500|no answer at all)"):
        app_engine.untag(engine, "x")


def test_what_compose_made_of_its_configuration_is_read() -> None:
    one = app_engine.parse_container(
        listed(**{"config-hash": "ad99"}) | {"Status": "Up 3 hours", "Created": 1700000000}
    )
    assert (one.config_hash, one.status, one.created) == ("ad99", "Up 3 hours", 1700000000)


@pytest.mark.parametrize("error", [docker.errors.APIError("500"), requests.exceptions.ConnectionError("reset")])
def test_an_engine_that_ends_in_the_middle_is_told(error) -> None:
    assert re.search(r"Engine of this host failed in the middle of it \((500|reset)\)", app_engine.failure(error))


def test_another_error_is_none_of_the_engines() -> None:
    assert app_engine.failure(ValueError("x")) == ""


def test_the_engines_own_words_are_kept():
    status = OSError("500 Server Error for url: http+docker://localhost/start")
    wrapped = docker.errors.APIError("failed", explanation="Bind for 0.0.0.0:8001 failed: port is already allocated.")
    wrapped.__cause__ = status
    assert app_engine.cause(wrapped) == "Bind for 0.0.0.0:8001 failed: port is already allocated"
    outer = RuntimeError("outer")
    outer.__cause__ = status
    assert app_engine.cause(outer) == str(status)
