# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the site, with its page cache in the memory of this process."""

from __future__ import annotations

import re

from django.core.cache import cache
from django.test import TestCase, override_settings

from jobs.models import Job
from jobs.views import bounded_seconds

MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tests"}}
PLAIN_STATIC = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


@override_settings(CACHES=MEMORY, CACHE_MIDDLEWARE_SECONDS=300, STORAGES=PLAIN_STATIC)
class SiteTestCase(TestCase):
    """Each test starts with an empty cache."""

    def setUp(self) -> None:
        cache.clear()

    def made(self, path: str) -> str:
        """Give the moment at which a page was made, as its foot tells it."""
        response = self.client.get(path)
        assert response.status_code == 200, path
        return re.search(r'id="made">([^<]+)<', response.content.decode())[1]


class PagesTest(SiteTestCase):
    def test_every_page_answers(self):
        slug = Job.objects.first().slug
        for path in ("/", "/jobs/", f"/jobs/{slug}/", "/about/", "/saved/", f"/saved/{slug}/", "/slow/?seconds=0"):
            with self.subTest(path):
                assert self.made(path)

    def test_unknown_job_is_404(self):
        with self.assertLogs("django.request", "WARNING"):
            response = self.client.get("/jobs/no-such-job/")
        assert response.status_code == 404
        assert b"There is no such page" in response.content

    def test_a_dozen_jobs_come_with_the_migrations(self):
        assert Job.objects.count() == 12

    def test_home_names_its_edition(self):
        self.assertContains(self.client.get("/"), 'id="edition"', count=1)

    def test_search_by_text_and_kind(self):
        self.assertContains(self.client.get("/jobs/?q=PYTHON"), "Backend Developer")
        self.assertNotContains(self.client.get("/jobs/?q=PYTHON"), "Data Analyst")
        self.assertContains(self.client.get("/jobs/?kind=internship"), '<span id="count">1</span>')
        self.assertContains(self.client.get("/jobs/?kind=nonsense"), '<span id="count">12</span>')
        self.assertContains(self.client.get("/jobs/?q=<b>none</b>"), "&lt;b&gt;none&lt;/b&gt;")

    def test_healthz_is_not_cached(self):
        response = self.client.get("/healthz")
        assert response.content == b"ok\n"
        assert "no-store" in response["Cache-Control"]

    def test_slow_page_refuses_what_is_no_number(self):
        with self.assertLogs("django.request", "WARNING"):
            assert self.client.get("/slow/?seconds=nan").status_code == 400

    def test_slow_page_is_bounded(self):
        for text, seconds in (("0", 0), ("1.5", 1.5), ("-7", 0), ("100", 5), ("nan", None), ("inf", None), ("", None)):
            with self.subTest(text):
                assert bounded_seconds(text) == seconds


class PageCacheTest(SiteTestCase):
    def test_pages_are_kept(self):
        for path in ("/", "/jobs/", "/about/", "/slow/?seconds=0"):
            with self.subTest(path):
                assert self.made(path) == self.made(path)

    def test_a_visitors_own_page_is_not_kept(self):
        assert self.made("/saved/") != self.made("/saved/")

    def test_clearing_the_cache_renders_a_page_again(self):
        before = self.made("/")
        cache.clear()
        assert self.made("/") != before

    def test_another_version_does_not_see_the_page(self):
        before = self.made("/")
        with self.settings(CACHES={"default": {**MEMORY["default"], "VERSION": 2}}):
            assert self.made("/") != before
        assert self.made("/") == before

    def test_fragment_outlives_a_new_job(self):
        self.client.get("/")
        Job.objects.all().delete()
        self.assertContains(self.client.get("/?another=page"), "Backend Developer")

    def test_about_is_kept_for_an_hour_and_home_for_five_minutes(self):
        assert "max-age=3600" in self.client.get("/about/")["Cache-Control"]
        assert "max-age=300" in self.client.get("/")["Cache-Control"]


class SavedJobsTest(SiteTestCase):
    def test_saved_job_survives_a_cleared_cache(self):
        job = Job.objects.first()
        self.assertRedirects(self.client.post(f"/saved/{job.slug}/"), "/saved/")
        self.client.post(f"/saved/{job.slug}/")
        cache.clear()
        assert [kept.pk for kept in self.client.get("/saved/").context["jobs"]] == [job.pk]
