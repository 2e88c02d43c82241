# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way each cache is cleared, and when that is a failure; the container is a recorded one."""

from __future__ import annotations

import base64
import json
import socket
import zlib

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.engine_exec import ExecResult
from ansible_collections.juno.deploy.plugins.module_utils._base import options as base_options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._cache import django_caches
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import Place
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache as in_app_cache
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs

LISTING = {
    "settings": "shop.settings",
    "debug": False,
    "debug_text": "",
    "debug_variables": [],
    "session_engine": "django.contrib.sessions.backends.cache",
    "session_alias": "default",
}


def cache(alias, family, **more):
    base = {"alias": alias, "backend": f"x.{family}", "family": family, "key": f"alias {alias}", "locations": ["here"]}
    return {**base, "nodes": [], "options": [], "key_prefix": "", "version": "1", **more}


def memcached(*addresses):
    node = {"name": "m:11211", "raw": "m:11211", "path": "", "host": "m", "port": 1, "local": False}
    return cache("default", "memcached", nodes=[{**node, "addresses": list(addresses)}], begins=":1:")


class App:
    """A container that answers as recorded, and remembers what it was asked."""

    def __init__(self, name, **results):
        self.asked = []
        self.results = results
        self.place = Place(name, ("python",), True, self.execute)

    def execute(self, argv, seconds):
        request = json.loads(zlib.decompress(base64.b64decode(argv[3])))["request"]
        self.asked.append(request["operation"])
        lines = [f"{request['token']} {name} {json.dumps(value)}" for name, value in self.results.items()]
        return ExecResult(self.results.get("rc", 0), "\n".join(lines), "CommandError: it broke")


def params(**more):
    options = specs.defaults({**base_options.DJANGO, **base_options.CACHE_POLICY})
    own = {"alias": None, "command": None, "command_arguments": [], "fail_if_uncleared": False, "timeout_seconds": 1}
    return {**options, **own, **more}


def listing(*caches, sessions="cache"):
    return {**LISTING, "session_engine": f"django.contrib.sessions.backends.{sessions}", "caches": list(caches)}


@pytest.fixture
def closed_port():
    """An address on which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_one_exec_is_enough_without_memcached():
    app = App("web-1", listing=listing(cache("default", "redis")), cleared={"alias default": {"milliseconds": 3}})
    result = django_caches.clear([app.place], params(), check_mode=False)
    assert app.asked == ["clear"]
    assert result["caches"][0]["status"] == "cleared"
    assert result["caches"][0]["verified"]
    assert result["changed"]


def test_cleared_sessions_are_told():
    app = App("web-1", listing=listing(cache("default", "redis")), cleared={"alias default": {}})
    result = django_caches.clear([app.place], params(), check_mode=False)
    assert result["sessions_lost"]
    assert "everyone is logged out" in result["warnings"][0]


def test_check_mode_only_lists():
    app = App("web-1", listing=listing(cache("a", "redis"), cache("b", "locmem")))
    result = django_caches.clear([app.place], params(), check_mode=True)
    assert app.asked == ["list"]
    assert [one["status"] for one in result["caches"]] == ["would_clear", "needs_restart"]


def test_an_unknown_alias_stops_all():
    app = App("web-1", listing=listing(cache("a", "redis")))
    with pytest.raises(BadInputError, match="Nothing was cleared"):
        django_caches.clear([app.place], params(alias=["b"]), check_mode=False)


def test_a_failure_names_alias_place_and_cause_and_keeps_the_rest():
    caches = [cache("a", "redis"), cache("b", "database")]
    app = App("web-1", listing=listing(*caches), cleared={"alias a": {}, "alias b": {"error": "no such table: t"}})
    with pytest.raises(JunoError, match=r"b: here: no such table: t \(python manage.py createcachetable") as caught:
        django_caches.clear([app.place], params(), check_mode=False)
    assert caught.value.details["changed"]
    assert [one["status"] for one in caught.value.details["caches"]] == ["cleared", "failed"]


@pytest.mark.parametrize("family", ["locmem", "dummy"])
def test_what_cannot_be_cleared_fails_only_on_request(family):
    app = App("web-1", listing=listing(cache("a", family)), cleared={})
    assert not django_caches.clear([app.place], params(), check_mode=False)["changed"]
    with pytest.raises(JunoError, match="Not all caches were cleared"):
        django_caches.clear([app.place], params(fail_if_uncleared=True), check_mode=False)


def test_an_unknown_backend_is_not_called_verified():
    app = App("web-1", listing=listing(cache("a", "other")), cleared={"alias a": {}})
    (one,) = django_caches.clear([app.place], params(), check_mode=False)["caches"]
    assert (one["status"], one["verified"]) == ("cleared", False)
    assert "is not known here" in one["message"]


def test_directories_are_cleared_in_every_container():
    answer = {"listing": listing(cache("a", "filebased"), cache("b", "redis"))}
    first = App("web-1", **answer, cleared={"alias a": {}, "alias b": {}})
    second = App("web-2", **answer, cleared={"alias a": {"error": "2 of 2 files could not be removed"}})
    with pytest.raises(JunoError, match=r"could not be removed\. \(in web-2\)"):
        django_caches.clear([first.place, second.place], params(), check_mode=False)
    assert second.asked == ["clear"]


def test_what_the_host_cannot_reach_is_flushed_by_the_app(closed_port):
    one = memcached("127.0.0.1")
    one["nodes"][0]["port"] = closed_port
    answer = {f"127.0.0.1:{closed_port}": {"milliseconds": 1101}}
    app = App("web-1", listing=listing(one, sessions="db"), cleared={}, nodes=answer)
    (result,) = django_caches.clear([app.place], params(), check_mode=False)["caches"]
    assert app.asked == ["clear", "nodes"]
    assert (result["status"], result["verified"]) == ("cleared", False)


def test_a_server_that_nobody_reaches_failed_with_both_reasons(closed_port):
    one = memcached("127.0.0.1")
    one["nodes"][0]["port"] = closed_port
    answer = {f"127.0.0.1:{closed_port}": {"error": "hung up"}}
    app = App("web-1", listing=listing(one, sessions="db"), cleared={}, nodes=answer)
    with pytest.raises(JunoError, match=rf"127.0.0.1:{closed_port} refused .* failed too in web-1: hung up"):
        django_caches.clear([app.place], params(), check_mode=False)


def test_the_command_keeps_its_output_and_local_memory_its_status():
    app = App("web-1", listing=listing(cache("a", "redis"), cache("b", "locmem")))
    result = django_caches.run_command(app.place, params(command="clear_all_caches"), check_mode=False)
    assert [one["status"] for one in result["caches"]] == ["left_to_command", "needs_restart"]
    assert result["changed"]
    assert result["cmd"] == ["python", "manage.py", "clear_all_caches"]


def test_a_failing_command_is_loud():
    app = App("web-1", rc=1)
    with pytest.raises(CommandError, match="The command clear_all_caches failed in web-1: CommandError: it broke"):
        django_caches.run_command(app.place, params(command="clear_all_caches"), check_mode=False)


@pytest.mark.parametrize(
    ("options", "reached", "why"),
    [
        ({}, True, "refused the connection"),
        ({}, False, "holds the app's sessions, which a flush would take"),
        ({"mode": "selective"}, False, "can't be deleted one by one"),
    ],
)
def test_the_apps_own_client_does_not_flush_sessions(closed_port, options, reached, why):
    one = memcached("127.0.0.1")
    one["nodes"][0] |= {"port": closed_port, "local": not reached}
    app = App("web-1", listing=listing(one), cleared={}, nodes={})
    with pytest.raises(JunoError, match=why):
        django_caches.clear([app.place], params(**options), check_mode=False)
    assert app.asked == ["clear"]


def test_with_leave_it_does(closed_port):
    one = memcached("127.0.0.1")
    one["nodes"][0] |= {"port": closed_port, "local": True}
    answer = {f"127.0.0.1:{closed_port}": {"milliseconds": 1101}}
    app = App("web-1", listing=listing(one), cleared={}, nodes=answer)
    result = django_caches.clear([app.place], params(allow_loss=True), check_mode=False)
    assert result["sessions_lost"]


def test_what_was_deleted_one_by_one_loses_no_sessions():
    answer = {"selective": True, "deleted": 20, "sessions": 3, "others": 0, "kept": 0, "milliseconds": 2}
    app = App("web-1", listing=listing(cache("default", "redis")), cleared={"alias default": answer})
    result = django_caches.clear([app.place], params(), check_mode=False)
    assert not result["sessions_lost"]
    assert result["caches"][0]["how"] == "20 entries of this app deleted by its own backend, 3 sessions stay"


def test_a_refusal_of_the_app_has_its_numbers():
    answer = {"refused": {"sessions": 3, "others": 20, "why": ""}, "milliseconds": 2}
    app = App("web-1", listing=listing(cache("default", "redis")), cleared={"alias default": answer})
    with pytest.raises(JunoError, match="here holds 3 sessions and 20 keys of others"):
        django_caches.clear([app.place], params(mode="flush"), check_mode=False)


def test_each_family_that_its_backend_clears_has_words_for_that():
    assert django_caches.HOW_HERE.keys() >= set(in_app_cache.CLEARED_HERE)
