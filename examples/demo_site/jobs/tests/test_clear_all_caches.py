# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Option C against real caches: files, and memcached where it is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from io import StringIO

from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase, override_settings

BACKENDS = "django.core.cache.backends"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class CommandTestCase(SimpleTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = {"BACKEND": f"{BACKENDS}.filebased.FileBasedCache", "LOCATION": folder.name}

    def run_command(self, **aliases):
        """Run it with these caches; give its output, its error output and whether it failed."""
        out, err = StringIO(), StringIO()
        with override_settings(CACHES=aliases):
            try:
                call_command("clear_all_caches", stdout=out, stderr=err)
            except CommandError as exc:
                return out.getvalue(), f"{err.getvalue()}{exc}", True
        return out.getvalue(), err.getvalue(), False


class ClearAllCachesTest(CommandTestCase):
    def test_every_alias_is_cleared(self):
        other = {**self.file, "LOCATION": f"{self.file['LOCATION']}/other"}
        with override_settings(CACHES={"default": self.file, "other": other}):
            for alias in ("default", "other"):
                caches[alias].set("page", "old")
        out, _, failed = self.run_command(default=self.file, other=other)
        assert not failed
        assert out.splitlines() == ["default: cleared (FileBasedCache)", "other: cleared (FileBasedCache)"]
        with override_settings(CACHES={"default": self.file, "other": other}):
            assert [caches[alias].get("page") for alias in ("default", "other")] == [None, None]

    def test_memory_of_the_workers_is_not_called_cleared(self):
        out, err, failed = self.run_command(default={"BACKEND": f"{BACKENDS}.locmem.LocMemCache"}, files=self.file)
        assert failed
        assert "default: NOT cleared: it lives in the memory of each worker" in err
        assert "files: cleared" in out, "the alias after the failed one"

    def test_dummy_says_that_there_is_nothing(self):
        out, _, failed = self.run_command(default={"BACKEND": f"{BACKENDS}.dummy.DummyCache"})
        assert not failed
        assert "nothing to clear" in out

    def test_a_server_that_is_down_is_named(self):
        address = f"127.0.0.1:{free_port()}"
        memcached = {"BACKEND": f"{BACKENDS}.memcached.PyMemcacheCache", "LOCATION": address}
        _, err, failed = self.run_command(default={**memcached, "OPTIONS": {"ignore_exc": True}})
        assert failed
        assert address in err


@unittest.skipUnless(shutil.which("memcached"), "memcached is not installed")
class ClearMemcachedTest(CommandTestCase):
    def memcached(self, *options):
        """Start a memcached for this test and give its address."""
        port = free_port()
        process = subprocess.Popen(
            ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), *options], stderr=subprocess.DEVNULL
        )
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.terminate)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                return f"127.0.0.1:{port}"
        raise TimeoutError("memcached did not start")

    def cache_at(self, *addresses):
        return {"BACKEND": f"{BACKENDS}.memcached.PyMemcacheCache", "LOCATION": list(addresses)}

    def test_server_behind_one_that_is_down_is_cleared_too(self):
        up, down = self.memcached(), f"127.0.0.1:{free_port()}"
        with override_settings(CACHES={"default": self.cache_at(up)}):
            caches["default"].set("page", "old")
        _, err, failed = self.run_command(default=self.cache_at(down, up))
        assert failed
        assert down in err
        assert up not in err
        with override_settings(CACHES={"default": self.cache_at(up)}):
            assert caches["default"].get("page") is None

    def test_server_that_refuses_to_flush_is_not_called_cleared(self):
        address = self.memcached("-F")
        _, err, failed = self.run_command(default=self.cache_at(address))
        assert failed
        assert "flush_all not allowed" in err
