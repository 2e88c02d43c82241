#!/usr/bin/env python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start Django as many sites do: an env file is loaded before the settings."""

import os
import sys
from pathlib import Path


def main():
    env_file = Path(__file__).resolve().parent / os.environ.get("SITE_ENV_FILE", ".env")
    if env_file.is_file():
        for line in env_file.read_text().splitlines():
            name, _equals, value = line.partition("=")
            os.environ.setdefault(name, value)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
