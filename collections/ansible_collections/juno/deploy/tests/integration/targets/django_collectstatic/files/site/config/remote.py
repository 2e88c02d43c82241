# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage that is no directory to Django: it has no paths."""

import os

from django.core.files.storage import FileSystemStorage, Storage


class RemoteStorage(Storage):
    """Keeps its files where the environment says, and tells nobody."""

    def __init__(self):
        self.inner = FileSystemStorage(os.environ["SITE_REMOTE"])

    def _open(self, name, mode="rb"):
        return self.inner._open(name, mode)

    def _save(self, name, content):
        return self.inner._save(name, content)

    def delete(self, name):
        self.inner.delete(name)

    def exists(self, name):
        return self.inner.exists(name)

    def listdir(self, path):
        return self.inner.listdir(path)

    def get_modified_time(self, name):
        return self.inner.get_modified_time(name)
