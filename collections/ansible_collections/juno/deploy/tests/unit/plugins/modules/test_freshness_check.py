# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module from its arguments to its result."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import threading

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.juno.deploy.plugins.modules import freshness_check


@pytest.fixture
def base_url(tmp_path):
    """Serve a folder over real HTTP."""
    (tmp_path / "index.html").write_text('<h1>Edition 2</h1><img src="/a.png"><img src="/gone.png">', encoding="utf-8")
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "plain.html").write_text("<h1>Edition 2</h1>", encoding="utf-8")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(capsys, **params):
    with patch_module_args(params), contextlib.suppress(SystemExit):
        freshness_check.main()
    return json.loads(capsys.readouterr().out)


def test_success(capsys, base_url):
    result = run(capsys, base_url=base_url, pages=[{"path": "/plain.html", "contains": ["Edition 2"]}])
    assert "failed" not in result
    assert result["changed"] is False
    assert result["findings"] == []
    assert result["pages"][0]["status"] == 200
    assert result["assets"] == {"checked": 0, "failed": []}


@pytest.mark.parametrize("check_mode", [False, True])
def test_failure_carries_the_result(capsys, base_url, check_mode):
    result = run(capsys, base_url=base_url, pages=[{"path": "/"}, {"path": "/none/"}], _ansible_check_mode=check_mode)
    assert result["failed"] is True
    assert result["changed"] is False
    assert result["msg"] == (f"/none/ on {base_url} answered 404 instead of 200 (and 1 other problem, see findings).")
    assert result["assets"] == {"checked": 2, "failed": ["/gone.png"]}


def test_assets_can_be_left_out(capsys, base_url):
    result = run(capsys, base_url=base_url, pages=[{"path": "/"}], check_assets=False)
    assert "failed" not in result
    assert result["assets"] == {"checked": 0, "failed": []}


def test_a_warning_does_not_fail(capsys, monkeypatch, base_url):
    answer = []
    # Where another test has loaded an action plugin, Ansible takes this process for a controller and shows the warning
    # instead of putting it into the result.
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: answer.append(warning))
    result = run(capsys, base_url=base_url, pages=[{"path": "/"}], max_assets=1)
    assert "failed" not in result
    assert "name 2 files, of which only 1 were checked" in str(answer)
    assert [one["level"] for one in result["findings"]] == ["warning"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pages": []}, "pages is empty"),
        ({"pages": [{"path": "about/"}]}, "write it as '/about/'."),
        ({"base_url": "127.0.0.1:8001"}, "has no scheme"),
        ({"base_url": "http://no-such-host.invalid"}, "can't be resolved"),
        ({"timeout_seconds": 0}, "timeout_seconds is 0"),
        ({"pages": [{}]}, "missing required arguments: path found in pages"),
    ],
)
def test_bad_input(capsys, change, says):
    result = run(capsys, **{"base_url": "http://127.0.0.1:9", "pages": [{"path": "/"}], **change})
    assert result["failed"] is True
    assert says in result["msg"]
