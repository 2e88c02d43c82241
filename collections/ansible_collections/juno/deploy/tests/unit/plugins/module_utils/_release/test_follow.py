# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a thin module makes of its deployer's answers, which come over a real socket."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._release import follow
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import imports

ID = "0c6a7a3c9a0d4f0e8f4f7f5f7d1b9f0e"
PROGRESS = {"step": "build", "seconds": 7.1, "usual": 70.0, "events": [{"seconds": 7.0, "text": "pulls"}], "next": 1}


@pytest.fixture
def answering(tmp_path):
    """Return what lets a deployer answer once; it gives what it was asked."""
    (tmp_path / "shop").mkdir()

    @contextlib.contextmanager
    def answer(reply):
        asked = {}

        def serve():
            link, _address = listener.accept()
            with link, link.makefile("rb") as reader:
                asked.update(json.loads(reader.read()))
                link.sendall(json.dumps(reply).encode() if reply is not None else b"")

        with rpc.listen(str(tmp_path / "shop"), ID) as listener:
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            yield asked
            thread.join(60)

    return answer


@pytest.fixture
def params(tmp_path):
    params = {
        "state_root": str(tmp_path),
        "project": "shop",
        "deployer": ID,
        "next_step_timeout_seconds": 90.0,
        "after": -1,
    }
    return {**params, "task_id": "t1"}


def test_a_step_is_begun(params, answering):
    with answering({**PROGRESS, "ended": False}) as asked:
        result = follow.step(params, "build", {"cache_version": {}})
    assert asked == {
        "do": "step",
        "name": "build",
        "task": "t1",
        "args": {"cache_version": {}},
        "next_step_timeout": 90.0,
        "after": 0,
        "seconds": follow.FIRST_SECONDS,
    }
    assert result == {"changed": False, "progress": {**PROGRESS, "ended": False}}


@pytest.mark.parametrize("after", [0, 1, 12])
def test_one_that_was_begun_is_watched(params, answering, after):
    with answering({**PROGRESS, "ended": False}) as asked:
        follow.step({**params, "after": after}, "build")
    assert (asked["do"], asked["after"], asked["seconds"]) == ("watch", after, follow.NEXT_SECONDS)


def test_its_result_is_the_modules(params, answering):
    with answering({**PROGRESS, "ended": True, "result": {"changed": True, "images": {}}}):
        result = follow.step(params, "build")
    assert result == {"changed": True, "images": {}, "progress": {**PROGRESS, "ended": True}}


def test_what_has_ended_since_comes_along(params, answering):
    more = {**PROGRESS, "step": "switch", "ended": True}
    with answering({**PROGRESS, "ended": True, "result": {}, "more": [{**more, "result": {"base_url": "x"}}]}):
        result = follow.step(params, "build")
    assert result["more"] == [{"changed": False, "base_url": "x", "progress": more}]


def test_its_failure_is_the_modules(params, answering):
    failure = {"msg": "It failed.", "rc": 1, "exception": "Traceback"}
    with answering({**PROGRESS, "ended": True, "failure": failure}), pytest.raises(JunoError) as error:
        follow.step(params, "build")
    assert error.value.message == "It failed."
    assert error.value.details == {"rc": 1, "exception": "Traceback", "progress": {**PROGRESS, "ended": True}}


def test_a_refusal_is_told(params, answering):
    with answering({"refused": "There is no step build."}), pytest.raises(JunoError) as error:
        follow.step(params, "build")
    assert (error.value.message, error.value.details) == ("There is no step build.", {"deployer": "refused"})


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (None, ""),
        ("", ""),
        ("\n \n", ""),
        (
            "Traceback\n  File x\nModuleNotFoundError: No module named 'x'\n",
            " It said last: ModuleNotFoundError: No module named 'x'",
        ),
        ("x" * 9000, " It said last: " + "x" * 500),
    ],
)
def test_where_no_deployer_is(params, tmp_path, errors, words):
    (tmp_path / "shop").mkdir()
    if errors is not None:
        (tmp_path / "shop/deployer.errors").write_text(errors)
    with pytest.raises(JunoError) as error:
        follow.step(params, "build")
    assert error.value.message == follow.GONE + words
    assert error.value.details == {"deployer": "gone"}


def test_one_that_ends_meanwhile_is_gone(params, answering):
    with answering(None), pytest.raises(JunoError, match="not there any more"):
        follow.step(params, "build")


class LeftError(Exception):
    """A module has left."""


class Module:
    """What is used of AnsibleModule."""

    def __init__(self):
        self.params = {"a": 1}

    def exit_json(self, **result):
        raise LeftError(result)

    def fail_json(self, **result):
        raise LeftError({"failed": True, **result})


def fails(_params):
    raise JunoError("It failed.", rc=1)


@pytest.mark.parametrize(
    ("work", "left"),
    [
        (lambda params: {"given": params["a"]}, {"changed": False, "given": 1}),
        (lambda _params: {"changed": True}, {"changed": True}),
        (fails, {"failed": True, "msg": "It failed.", "rc": 1}),
    ],
)
def test_how_a_module_leaves(work, left):
    with pytest.raises(LeftError) as error:
        follow.run(Module(), work)
    assert error.value.args == (left,)


def test_a_module_needs_nothing_but_what_python_has():
    """It is packed with all that it imports, and sent for each call."""
    found, todo = set(), ["_release.follow", "_release.start_deployer", "_state.kept_code"]
    while todo:
        name = todo.pop()
        found.add(name)
        todo += imports.of(name) - found
    thin = {"_release.follow", "_release.start_deployer", "_state.kept_code", "_state.lock", "_state.rpc"}
    assert found == thin | {"_base.options", "_base.strategies", "_base.processes", "_base.polling", "_base.errors"}
