# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings from the environment, each in a process of its own, as gunicorn would read them."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings
from django.test import SimpleTestCase

PRINT = "from django.conf import settings as s; print({})"


class SettingsTest(SimpleTestCase):
    def read(self, expression, **environment):
        """Evaluate an expression over the settings; `None` if they don't load."""
        base = {
            key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "MEMCACHED_", "CACHE_"))
        }
        done = subprocess.run(
            [sys.executable, "-c", PRINT.format(expression)],
            env={**base, "DJANGO_SETTINGS_MODULE": "demo.settings", **environment},
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        self.error = done.stderr
        return done.stdout.strip() if done.returncode == 0 else None

    def production(self, expression, **environment):
        return self.read(expression, **{"DJANGO_SECRET_KEY": "x", "MEMCACHED_HOST": "memcached:11211", **environment})

    def test_debug_is_not_true_for_the_text_false(self):
        for text in ("False", "false", "0", "no", "off", ""):
            with self.subTest(text):
                assert self.production("s.DEBUG", DJANGO_DEBUG=text) == "False", self.error

    def test_debug_refuses_other_words(self):
        assert self.production("s.DEBUG", DJANGO_DEBUG="maybe") is None
        assert "write true or false" in self.error

    def test_secret_key_is_needed_outside_development(self):
        assert self.production("s.DEBUG", DJANGO_SECRET_KEY="") is None
        assert "DJANGO_SECRET_KEY is not set" in self.error

    def test_memcached_is_needed_outside_development(self):
        assert self.read("s.DEBUG", DJANGO_SECRET_KEY="x") is None
        assert "MEMCACHED_HOST is not set" in self.error

    def test_option_a_templates_are_cached_in_production_only(self):
        loader = "str(s.TEMPLATES[0]['OPTIONS']['loaders'])"
        assert "cached.Loader" in self.production(loader)
        assert "cached.Loader" not in self.read(loader, DJANGO_DEBUG="1")

    def test_option_b_version_is_a_number(self):
        version = "repr(s.CACHES['default']['VERSION'])"
        assert self.production(version, CACHE_VERSION=" 7 ") == "7"
        assert self.production(version) == "1"
        assert self.production(version, CACHE_VERSION="seven") is None
        assert "write a whole number" in self.error
