# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The app's own way to clear its caches."""

from django.core.cache import caches
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--fail", action="store_true")

    def handle(self, **options):
        if options["fail"]:
            raise CommandError("the cache server hung up")
        for alias in caches:
            caches[alias].clear()
        self.stdout.write("All caches are clear.")
