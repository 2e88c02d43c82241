# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober as a real process, against real servers of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._probe import control, report
from ansible_collections.juno.deploy.plugins.module_utils._probe import samples as probe_samples
from ansible_collections.juno.deploy.plugins.module_utils._verify.freshness import IN_ANY_RENDERING
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import local_server, tls_site

#: The fixture.
certificate = tls_site.certificate


class Site(http.server.ThreadingHTTPServer):
    """A site whose pages are kept by their whole address, as Django's page cache does."""

    release = 1
    kept: dict[str, bytes]
    delay = 0.0
    asked = 0
    #: Requests at work at once: by now, and at most.
    at_work = 0
    most_at_work = 0
    #: The values of a header that were sent.
    tokens: set[str | None]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self):
        self.server.asked += 1
        self.server.tokens.add(self.headers["X-Token"])
        self.server.at_work += 1
        self.server.most_at_work = max(self.server.most_at_work, self.server.at_work)
        threading.Event().wait(self.server.delay)
        self.server.at_work -= 1
        made = f"release {self.server.release} at {self.path}".encode()
        body = self.server.kept.setdefault(self.path, made)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        """Keep quiet."""


@contextlib.contextmanager
def serving(port=0):
    site = Site(("127.0.0.1", port), Handler)
    site.kept, site.tokens = {}, set()
    with local_server.running(site):
        yield site


@pytest.fixture
def place(tmp_path):
    """Return a directory whose prober ends with the test."""
    yield str(tmp_path / "app")
    control.abandon(str(tmp_path / "app"))


def spec(site, **more):
    return {
        "base_url": f"http://127.0.0.1:{site.server_address[1]}",
        "rate_per_second": 50,
        "pages": [{"path": "/"}],
        **more,
    }


def until(condition, seconds=10.0):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come to that"
        threading.Event().wait(0.01)


def samples(place, kind=""):
    with open(os.path.join(place, "probe.samples"), encoding="utf-8") as file:
        return sum(line.startswith(f'["{kind}') for line in file)


def state(place):
    with open(os.path.join(place, "probe.json"), encoding="utf-8") as file:
        return json.load(file)


def test_a_page_from_a_cache_that_nobody_cleared_is_old(place):
    with serving() as site:
        control.start(place, spec(site))
        until(lambda: samples(place) > 5)
        began = time.time()
        site.release = 2
        gone = time.time()
        have = samples(place)
        until(lambda: samples(place) > have + 5)
        figures = control.finish(place, {"switch_began": began, "old_gone": gone})
    assert figures["failures"] == 0
    assert figures["old_pages"] == figures["after"]["requests"] > 0
    assert "OLD PAGE" in report.words(figures)[0]


def test_a_site_by_https_is_asked_whatever_its_certificate(place, certificate):
    with tls_site.serving(certificate) as site:
        order = {"base_url": site.base_url, "headers": {"Host": "shop.example.org"}, "rate_per_second": 50}
        began = time.time()
        control.start(place, {**order, "pages": [{"path": "/", "contains": ["Jobs"]}]})
        until(lambda: samples(place, "r") > 3)
        figures = control.finish(place, {"switch_began": began, "old_gone": began})
    assert (figures["failures"], figures["old_pages"], figures["after"]["requests"] > 3) == (0, 0, True)
    assert {headers["Host"] for _path, headers in site.asked} == set(site.names) == {"shop.example.org"}


@pytest.mark.parametrize("release", [1, 2])
def test_a_cleared_cache_leaves_no_old_page(place, release):
    with serving() as site:
        control.start(place, spec(site))
        until(lambda: samples(place) > 5)
        began = time.time()
        site.release = release
        site.kept.clear()
        gone = time.time()
        have = samples(place)
        until(lambda: samples(place) > have + 5)
        figures = control.finish(place, {"switch_began": began, "old_gone": gone})
        asked = site.asked
    # One rendering past the cache at the start; two more at the end, where the page is what it was.
    assert asked == figures["requests"] + 1 + 2 * (release == 1)
    assert (figures["old_pages"], figures["not_judged"]) == (0, [])
    assert report.words(figures)[0].startswith(f"Visitors: {figures['requests']} requests, none failed")


@pytest.mark.parametrize(("cleared", "old"), [(True, 0), (False, 1)])
def test_the_end_of_a_short_deploy_is_judged_too(place, cleared, old):
    """No request has come since the caches were cleared: each page is asked for once more."""
    with serving() as site:
        control.start(place, spec(site))
        until(lambda: samples(place) > 5)
        site.release = 2
        if cleared:
            site.kept.clear()
        # As if all that came until now had come before.
        marks = {"switch_began": time.time() + 2, "old_gone": time.time() + 2}
        os.kill(control._read(place)["pid"], signal.SIGTERM)
        until(lambda: not control.process_of(control._read(place)).is_alive())
        until(lambda: time.time() > marks["old_gone"])
        figures = control.finish(place, marks)
        assert figures["after"]["requests"] == 1
        assert figures["old_pages"] == old
        assert control.finish(place, marks) == figures


def test_an_outage_has_its_length(place):
    with serving() as site:
        port = site.server_address[1]
        control.start(place, spec(site))
        until(lambda: samples(place) > 5)
    ended = time.monotonic()
    threading.Event().wait(0.7)
    with serving(port):
        outage = time.monotonic() - ended
        have = samples(place)
        until(lambda: samples(place) > have + 5)
        figures = control.finish(place, {})
    run = probe_samples.parse(pathlib.Path(place, "probe.samples").read_text(encoding="utf-8"), spec(site)["pages"], 50)
    # On a busy machine the prober itself stands still at times, which is no one's outage.
    still = sum(end - begin for begin, end in run.missed)
    assert outage - 0.2 - still <= figures["longest_gap_seconds"] <= outage + 0.3
    # Those that the closing server had already let in are cut.
    assert "connection refused" in {one["why"] for one in figures["failed"]}


def test_a_slow_site_is_spared(place):
    with serving() as site:
        site.delay = 0.2
        control.start(place, spec(site))
        until(lambda: site.asked > 6)
        figures = control.finish(place, {})
    # One for a visitor's page, and one that is rendered again.
    assert site.most_at_work <= 2
    # At 50 requests/s it would have been a hundred by then.
    assert figures["requests"] <= 8
    assert figures["seconds"] > (figures["requests"] - 1) * 0.6
    # Nobody was without an answer, though nobody asked most of the time.
    assert figures["longest_gap_seconds"] < figures["seconds"] / 4


def test_requests_in_flight_are_waited_for(place):
    with serving() as site:
        site.delay = 0.6
        control.start(place, spec(site, pages=[{"path": f"/{name}"} for name in "abcd"]))
        until(lambda: site.asked > 3)
        figures = control.finish(place, {})
    assert (figures["failures"], figures["unanswered"], figures["ended"]) == (0, 0, "asked")
    assert figures["slowest_seconds"] >= 0.6


@pytest.mark.parametrize("reaped", [True, False])
def test_it_ends_when_the_deploy_has_died(place, reaped):
    with serving() as site, subprocess.Popen(["sleep", "600"]) as deployer:
        known = dataclasses.astuple(processes.identify(deployer.pid))
        control.start(place, spec(site, deployer=known))
        until(lambda: samples(place) > 5)
        deployer.kill()
        if reaped:
            deployer.wait()
        until(lambda: not control.process_of(state(place)).is_alive())
        figures = control.finish(place, {})
    assert figures["ended"] == "the deploy died"
    assert report.words(figures)[-1] == "Probe:    it ended before the deploy did (the deploy died)."


def test_it_does_not_live_for_ever(place):
    with serving() as site:
        control.start(place, spec(site, longest_seconds=0.3))
        until(lambda: not control.process_of(state(place)).is_alive())
        assert control.finish(place, {})["ended"] == "it ran for 0.3 s"


def test_a_killed_prober_leaves_its_figures(place):
    with serving() as site:
        control.start(place, spec(site))
        until(lambda: samples(place, "r") > 5)
        os.kill(state(place)["pid"], signal.SIGKILL)
        until(lambda: not control.process_of(state(place)).is_alive())
        figures = control.finish(place, {})
    assert figures["requests"] > 3
    assert report.words(figures)[-1] == "Probe:    it ended before the deploy did (it was killed)."


def test_one_that_breaks_says_why(place):
    with serving() as site:
        control.start(place, spec(site, headers={"X-Bad": "a\nb"}))
        until(lambda: not control.process_of(state(place)).is_alive(), 15)
        figures = control.finish(place, {})
    assert figures["ended"].startswith("it broke: ValueError")


def test_a_second_start_ends_the_first(place):
    with serving() as site:
        control.start(place, spec(site))
        first = state(place)
        begun = time.monotonic()
        control.start(place, spec(site))
        assert time.monotonic() - begun < 3
        assert not control.process_of(first).is_alive()
        assert control.process_of(state(place)).is_alive()
        assert control.start(place, spec(site, rate_per_second=0)) == {"running": False}
    assert os.listdir(place) == []


def test_finish_again_gives_the_same(place):
    with serving() as site:
        control.start(place, spec(site))
        figures = control.finish(place, {})  # at once: the signal waits for the process
        assert control.finish(place, {}) == figures
    assert figures["ended"] == "asked"


def test_without_a_prober(place):
    assert control.abandon(place) is False
    assert report.words(control.finish(place, {})) == ["Visitors: not measured."]


def test_files_are_private_and_nothing_is_in_its_arguments(place):
    with serving() as site:
        control.start(place, spec(site, headers={"Authorization": "hunter2"}))
        pid = state(place)["pid"]
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            assert b"hunter2" not in file.read()
        assert os.getsid(pid) == pid
    assert os.stat(os.path.join(place, "probe.json")).st_mode & 0o777 == 0o600
    assert os.stat(place).st_mode & 0o027 == 0


def test_headers_that_no_file_has_are_sent(place):
    check_headers.use({"X-Token": "t0pS3cret"})
    try:
        with serving() as site:
            began = time.time()
            control.start(place, spec(site))
            until(lambda: samples(place, "r") > 3)
            sent = site.tokens.copy()
            site.tokens.clear()
            # Nothing was asked since then, so it is asked once more.
            control.finish(place, {"switch_began": began, "old_gone": time.time() + 60})
        assert (sent, site.tokens) == ({"t0pS3cret"}, {"t0pS3cret"})
        for name in os.listdir(place):
            with open(os.path.join(place, name), encoding="utf-8") as file:
                assert "t0pS3cret" not in file.read()
    finally:
        check_headers.use({})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"base_url": "ftp://example.org"}, "can't ask for pages at 'ftp://example.org'"),
        ({"base_url": "example.org"}, "give the site's address on this host, like http://127.0.0.1:8001"),
        ({"base_url": "https://"}, "can't ask for pages at 'https://'"),
        ({"rate_per_second": -1}, "rate of -1 requests/s makes no sense"),
        ({"rate_per_second": 1000}, "rate of 1000 requests/s makes no sense"),
        ({"pages": []}, "has no page to ask for"),
        ({"pages": [{"path": "x"}]}, "'x' does not begin with a slash"),
    ],
)
def test_bad_orders(place, more, words):
    with pytest.raises(BadInputError, match=words):
        control.start(
            place, {"base_url": "http://127.0.0.1:9", "rate_per_second": 10, "pages": [{"path": "/"}], **more}
        )


def test_an_order_in_full():
    given = {"base_url": "http://a", "rate_per_second": 1, "pages": [{"path": "/ä b/#part", "contains": None}]}
    assert control.checked(given) == {
        "base_url": "http://a",
        "headers": {},
        "pages": [{"path": "/%C3%A4%20b/", "status": None, "contains": [], "excludes": []}],
        "rate_per_second": 1.0,
        "longest_seconds": 3600.0,
        "deployer": [],
        "volatile": IN_ANY_RENDERING,
    }


def test_a_process_id_that_is_used_again_is_not_the_deploy(place):
    mine = processes.identify(os.getpid())
    with serving() as site:
        control.start(place, spec(site, deployer=(mine.pid, str(int(mine.started) - 1))))
        until(lambda: not control.process_of(state(place)).is_alive())
        assert control.finish(place, {})["ended"] == "the deploy died"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JunoError, match="can't be started below"):
        control.start(
            str(tmp_path / "file" / "x"),
            {"base_url": "http://127.0.0.1:9", "rate_per_second": 10, "pages": [{"path": "/"}]},
        )
