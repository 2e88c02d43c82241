# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many groups a Django site finds, by its ORM: queries.py ask. Add one, past the ORM: queries.py add."""

import os
import sqlite3
import sys

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main():
    if sys.argv[1] == "add":
        with sqlite3.connect(os.environ["SITE_DATABASE"]) as database:
            database.execute("INSERT INTO auth_group (name) VALUES ('group ' || (SELECT count(*) FROM auth_group))")
        return
    __import__("django").setup()
    models = __import__("django.contrib.auth.models", fromlist=["Group"])
    sys.stdout.write(f"\n{models.Group.objects.count()}\n")


if __name__ == "__main__":
    main()
