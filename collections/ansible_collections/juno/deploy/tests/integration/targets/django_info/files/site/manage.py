#!/usr/bin/env python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start Django; the settings are others than those that wsgi.py names, as in many a project."""

import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", os.environ.get("SITE_MANAGE_SETTINGS", "config.settings"))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
