# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees of a step; the module's answers are prepared."""

from __future__ import annotations

import types

import pytest
from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.juno.deploy.plugins.action import release_step
from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt, _watch


def progress(**more):
    return {"step": "build", "seconds": 1.0, "usual": 0, "events": [], "next": 0, "ended": False, **more}


@pytest.mark.parametrize(
    ("fields", "text", "seconds", "line"),
    [
        ({}, "", None, "build  h1  1 s"),
        ({"seconds": 52.4, "usual": 70.2}, "[web 4/9] RUN pip", None, "build  h1  52 s of ~70 s  [web 4/9] RUN pip"),
        ({"usual": 0.4}, "x", None, "build  h1  1 s  x"),
        ({"usual": 1}, "x", None, "build  h1  1 s of ~1 s  x"),
        ({"seconds": 0}, "x", None, "build  h1  0 s  x"),
        ({"seconds": 100}, "x", 9.6, "build  h1  10 s  x"),
        ({"step": "drain", "seconds": 14}, "2 of 3 old workers", None, "drain  h1  14 s  2 of 3 old workers"),
    ],
)
def test_a_line(fields, text, seconds, line):
    assert _watch.line("h1", progress(**fields), text, seconds) == line


@pytest.fixture
def shown(monkeypatch):
    lines = []
    monkeypatch.setattr(_interrupt, "show", lines.append)
    return lines


@pytest.fixture
def cancelled(monkeypatch):
    """Keep what would be said at Ctrl-C."""
    said = []
    monkeypatch.setattr(_interrupt, "say_if_cancelled", lambda host, text: said.append((host, text)))
    return said


@pytest.fixture
def act(shown, cancelled, monkeypatch, tmp_path):
    """Return what runs an action with prepared answers of its module, and what that was called with."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))

    def run(name, answers, args=None, *, check_mode=False, **variables):
        task = types.SimpleNamespace(
            args=args or {}, action=f"juno.deploy.release_{name}", async_val=0, check_mode=check_mode, diff=False
        )
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = release_step.ActionModule(task, connection, None, None, None, None)
        calls, left = [], list(answers)

        def execute(*, module_name, module_args, task_vars):
            assert task_vars["inventory_hostname"] == "h1"
            calls.append((module_name, dict(module_args)))
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        monkeypatch.setattr(action, "_execute_module", execute)
        result = action.run(task_vars={"inventory_hostname": "h1", **variables})
        assert not left
        return result, calls

    return run


def event(seconds, text):
    return {"seconds": seconds, "text": text}


def test_a_step_is_followed_until_it_has_ended(act, shown):
    answers = [
        {
            "changed": False,
            "progress": progress(seconds=2.0, events=[event(0.1, "pulls"), event(1.9, "unpacks")], next=2),
        },
        {"changed": False, "progress": progress(seconds=3.4, next=2)},
        {
            "changed": True,
            "images": {},
            "progress": progress(seconds=5.2, events=[event(5.1, "done")], next=3, ended=True),
        },
    ]
    result, calls = act("build", answers, {"cache_version": {}})
    assert result == {"changed": True, "images": {}}
    assert [name for name, _args in calls] == ["juno.deploy.release_step"] * 3
    own = {"cache_version": {}, "step": "build", "task_id": calls[0][1]["task_id"]}
    assert [args for _name, args in calls] == [{**own, **after} for after in ({}, {"after": 2}, {"after": 2})]
    assert len(own["task_id"]) == 32
    assert shown == [
        "build  h1  0 s  pulls",
        "build  h1  2 s  unpacks",
        # Nothing new: it still does what it did.
        "build  h1  3 s  unpacks",
        "build  h1  5 s  done",
    ]


@pytest.mark.parametrize(("seconds", "lines"), [(0.2, 0), (2.9, 0), (3.1, 2)])
def test_a_short_step_is_not_talked_about(act, shown, seconds, lines):
    ended = progress(seconds=seconds, events=[event(0.1, "a"), event(0.2, "b")], next=2, ended=True)
    result, _calls = act("build", [{"changed": True, "progress": ended}])
    assert result == {"changed": True}
    assert len(shown) == lines


def test_of_many_events_at_once_the_last_ones_are_shown(act, shown):
    events = [event(number / 10, f"line {number}") for number in range(90)]
    act("build", [{"progress": progress(events=events, next=90)}, {"progress": progress(ended=True)}])
    assert [one.rpartition("  ")[2] for one in shown] == [f"line {number}" for number in range(86, 90)]


@pytest.mark.parametrize(
    "answer",
    [
        {"failed": True, "msg": "It is not there any more."},
        {"skipped": True, "msg": "remote module does not support check mode"},
        {"unreachable": True, "msg": "no route"},
        {"changed": False},
    ],
)
def test_what_has_no_progress_is_the_result(act, shown, answer):
    assert act("build", [answer])[0] == answer
    assert shown == []


def test_a_failed_step_is_a_failed_task_with_nothing_of_ours_in_it(act):
    failed = {"failed": True, "msg": "It failed.", "progress": progress(ended=True)}
    assert act("build", [{"progress": progress()}, failed])[0] == {"failed": True, "msg": "It failed."}


def test_a_line_that_is_cut_for_a_moment_ends_nothing(act, shown, monkeypatch):
    monkeypatch.setattr(_watch, "RETRY_SECONDS", 0.01)
    cut = AnsibleConnectionFailure("no route")
    answers = [{"progress": progress(next=3)}, cut, cut, {"changed": True, "progress": progress(ended=True)}]
    result, calls = act("build", answers)
    assert result == {"changed": True}
    assert [args.get("after") for _name, args in calls] == [None, 3, 3, 3]
    assert shown[1:] == ["build  h1  1 s  can't be reached, tries again"] * 2


def test_a_line_that_is_cut_for_long_ends_it(act, monkeypatch):
    monkeypatch.setattr(_watch, "CUT_SECONDS", -1)
    with pytest.raises(AnsibleConnectionFailure):
        act("build", [{"progress": progress()}, AnsibleConnectionFailure("no route")])


def test_a_step_is_not_begun_twice_because_a_line_was_cut(act):
    with pytest.raises(AnsibleConnectionFailure):
        act("build", [AnsibleConnectionFailure("no route")])


def test_nobody_is_waited_for_when_the_playbook_has_ended(act, monkeypatch):
    monkeypatch.setattr(_interrupt, "playbook_ended", lambda: True)
    assert act("build", [{"progress": progress()}])[0] == {"failed": True, "msg": "ansible-playbook has ended."}


@pytest.mark.parametrize(
    ("begun", "words"),
    [
        ({}, "bring back what served before by themselves"),
        ({"serving": {}}, "bring back what served before by themselves"),
        ({"serving": {"commit": "384e487aaaaaaaa"}}, "go back to 384e487 by themselves"),
    ],
)
def test_what_is_said_when_it_is_cancelled(act, cancelled, begun, words):
    act("build", [{"changed": False}], django_app__begun=begun)
    (host, text), *rest = cancelled
    assert host == "h1"
    assert text == f"Cancelled in the build. The droplets {words}. Watch: playbooks/status.yml"
    assert not rest


def test_it_is_said_how_long_the_new_release_may_be_seen(act, cancelled):
    act("build", [{"changed": False}], args={"next_step_timeout_seconds": "60.0"})
    assert cancelled[0][1] == (
        "Cancelled in the build. The droplets bring back what served before by themselves, 60 s after the step at work "
        "has ended. Watch: playbooks/status.yml"
    )
    act("record", [{"changed": False}], args={"next_step_timeout_seconds": "60.0"})
    assert " s after " not in cancelled[1][1]


@pytest.mark.parametrize("plugin", ["record", "undo"])
@pytest.mark.parametrize(("failed", "last"), [({}, ""), ({"failed": True, "msg": "no"}, None)])
def test_after_the_last_step_nothing_is_left_to_be_said(act, cancelled, plugin, failed, last):
    act(plugin, [{"changed": True, **failed}])
    assert len(cancelled) == (1 if failed else 2)
    assert cancelled[0][1].startswith("Cancelled in the ")
    if last is not None:
        assert cancelled[-1] == ("h1", last)


def known(step, **result):
    return {**result, "progress": progress(step=step, ended=True)}


def test_a_result_that_came_along_is_not_asked_for(act):
    first = {"changed": True, "progress": progress(ended=True), "more": [known("switch", base_url="x"), known("clear")]}
    deployer = {"deployer": "a"}
    assert act("build", [first], deployer)[0] == {"changed": True}
    assert act("switch", [], deployer) == ({"base_url": "x"}, [])
    assert act("clear", [], deployer) == ({}, [])
    assert len(act("verify", [{"changed": False}], deployer)[1]) == 1


def test_what_came_along_is_of_one_host_and_deployer(act):
    first = {"progress": progress(ended=True), "more": [known("switch", base_url="x")]}
    act("build", [first], {"deployer": "a"})
    assert len(act("switch", [{"changed": False}], {"deployer": "b"})[1]) == 1


def test_what_comes_along_later_is_added(act):
    for step, later in (("build", "switch"), ("clear", "verify")):
        first = {"progress": progress(step=step, ended=True), "more": [known(later)]}
        act(step, [first], {"deployer": "a"})
    assert act("switch", [], {"deployer": "a"})[1] == []
    assert act("verify", [], {"deployer": "a"})[1] == []


def test_a_known_result_that_took_long_is_told_like_any_other(act, shown):
    long = known("clear")
    long["progress"] |= {"seconds": 8.0, "events": [event(7.5, "default: 3 of 9 servers")], "next": 1}
    act("switch", [{"progress": progress(ended=True), "more": [long]}], {"deployer": "a"})
    act("clear", [], {"deployer": "a"})
    assert shown == ["clear  h1  8 s  default: 3 of 9 servers"]


def test_a_record_that_only_waits_is_not_the_last_step(act, cancelled):
    """After it come the turns of other hosts, or hooks: Ctrl-C still has something to say then."""
    act("record", [{"changed": False}], check_mode=True)
    assert [text.split(".")[0] for _host, text in cancelled] == ["Cancelled in the record"]


def test_the_module_may_be_called_by_its_own_name(act, cancelled):
    _result, calls = act("step", [{"changed": False}], {"step": "verify"})
    assert calls[0][1]["step"] == "verify"
    assert cancelled[0][1].startswith("Cancelled in the verification. ")
