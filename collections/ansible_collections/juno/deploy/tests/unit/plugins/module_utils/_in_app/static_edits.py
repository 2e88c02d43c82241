# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits the static files of a site at random, and collects them after each edit in three ways.

Is started by test_static_edits.py in the Python of a Django (3.7 or later): folder, storage, seed, number of edits. One
static root is collected into as a deploy does it, another with C(force), a third by Django's own command and empty
before. The first two must hold the same bytes, and all that the third one holds. Prints what happened, as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import shutil
import sys
import time

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class Lenient(ManifestStaticFilesStorage):
    """Sets an attribute, and no more."""

    manifest_strict = False


class Aggregating(ManifestStaticFilesStorage):
    """Adjusts what modules import."""

    support_js_module_import_aggregation = True


STORAGES = {
    "manifest": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "lenient": "static_edits.Lenient",
    "aggregating": "static_edits.Aggregating",
    "whitenoise": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    "only_hashed": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    "compressed": "whitenoise.storage.CompressedStaticFilesStorage",
    "plain": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
FOLDERS = ("", "css", "css/deep", "js", "img")


class Site:
    """Two source folders, and what is done to them."""

    def __init__(self, base, seed):
        self.base, self.dice = base, random.Random(seed)  # noqa: S311 - a seed repeats it
        self.places = [os.path.join(base, name) for name in ("one", "two")]
        for place in self.places:
            for folder in FOLDERS:
                os.makedirs(os.path.join(place, folder), exist_ok=True)
        self.count, self.history, self.good = 0, [], {}
        for number in range(12):
            self.write(self.places[number % 2], f"img/{number}.png", self.noise())
        for _number in range(8):
            self.add_css()
            self.add_js()

    def noise(self):
        self.count += 1
        return b"%d %d " % (self.count, self.dice.getrandbits(64)) * self.dice.choice([1, 3, 40])

    def write(self, place, name, content):
        path = os.path.join(place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            with open(path, "rb") as file:
                self.history.append((place, name, file.read()))
        with open(path, "wb") as file:
            file.write(content)

    def files(self, *endings):
        found = []
        for place in self.places:
            for folder, _folders, names in os.walk(place):
                for name in names:
                    if name.endswith(endings or ("",)):
                        found.append((place, os.path.relpath(os.path.join(folder, name), place)))
        return sorted(found)

    def pick(self, *endings):
        found = self.files(*endings)
        return self.dice.choice(found) if found else (self.places[0], "img/first.png")

    def to(self, name, other):
        path = os.path.relpath(other, os.path.dirname(name) or ".")
        return path if path.startswith(".") else "./" + path

    def css(self, name, more=()):
        lines = [f".a{self.count} {{ margin: {self.dice.randrange(99)}px }}"] * self.dice.choice([1, 40])
        for other in more or [self.pick(".png")[1] for _number in range(self.dice.randrange(3))]:
            form = self.dice.choice(['url("{}")', "url({})", "url('{}?v=1')", "url({}#part)", "url({}?#iefix)"])
            lines.append(".b { background: " + form.format(self.to(name, other)) + " }")
        if self.dice.random() < 0.5 and self.files(".css"):
            lines.insert(0, '@import "{}";'.format(self.to(name, self.pick(".css")[1])))
        return ("\n".join(lines) + "\n").encode()

    def js(self, name):
        lines = [f"export const a{self.count} = {self.dice.randrange(99)};"]
        if self.dice.random() < 0.6 and self.files(".js"):
            lines.insert(0, 'import {{ a }} from "{}";'.format(self.to(name, self.pick(".js")[1])))
        if self.dice.random() < 0.3:
            lines.append("//# sourceMappingURL=" + self.to(name, self.pick(".png")[1]))
        return ("\n".join(lines) + "\n").encode()

    def new(self, folders, ending):
        self.count += 1
        return "/".join(filter(None, [self.dice.choice(folders), f"f{self.count}{ending}"]))

    def add_css(self):
        name = self.new(["", "css", "css/deep"], ".css")
        self.write(self.dice.choice(self.places), name, self.css(name))

    def add_js(self):
        name = self.new(["", "js"], ".js")
        self.write(self.dice.choice(self.places), name, self.js(name))

    def add_image(self):
        self.write(self.dice.choice(self.places), self.new(["", "img"], ".png"), self.noise())

    def change_css(self):
        place, name = self.pick(".css")
        self.write(place, name, self.css(name))

    def change_js(self):
        place, name = self.pick(".js")
        self.write(place, name, self.js(name))

    def change_image(self):
        place, name = self.pick(".png")
        self.write(place, name, self.noise())

    def same_size_same_second(self):
        place, name = self.pick(".png")
        path = os.path.join(place, name)
        if os.path.exists(path):
            seen = os.stat(path)
            with open(path, "rb") as file:
                content = file.read()
            self.write(place, name, bytes([content[0] ^ 1]) + content[1:])
            os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    def exchange(self):
        """Give two files of one size each other's name, with times that are the same."""
        (place, name), (other, second) = self.pick(".png"), self.pick(".png")
        self.write(place, name, b"A" * 50)
        self.write(other, second, b"B" * 50)
        paths = [os.path.join(place, name), os.path.join(other, second)]
        for path in paths:
            os.utime(path, (1000, 1000))
        aside = os.path.join(self.base, "aside")
        for source, target in ((paths[0], aside), (paths[1], paths[0]), (aside, paths[1])):
            if os.path.exists(source):
                os.rename(source, target)

    def delete(self):
        place, name = self.pick()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(place, name))

    def rename(self):
        place, name = self.pick()
        os.rename(os.path.join(place, name), os.path.join(place, self.new([os.path.dirname(name)], name[-4:])))

    def rename_referenced(self):
        """Rename an image and all that names it."""
        place, name = self.pick(".png")
        target = self.new([os.path.dirname(name)], ".png")
        os.rename(os.path.join(place, name), os.path.join(place, target))
        for folder, css in self.files(".css", ".js"):
            path = os.path.join(folder, css)
            with open(path, "rb") as file:
                text = file.read()
            new = text.replace(self.to(css, name).encode(), self.to(css, target).encode())
            if new != text:
                self.write(folder, css, new)

    def touch(self):
        place, name = self.pick()
        os.utime(os.path.join(place, name), (self.dice.randrange(10**9), self.dice.randrange(10**9)))

    def revert(self):
        if self.history:
            self.write(*self.dice.choice(self.history))

    def shadow(self):
        """Give a file of one folder one of the same name in the other."""
        place, name = self.pick(".png", ".css")
        other = self.places[1 - self.places.index(place)]
        self.write(other, name, self.css(name) if name.endswith(".css") else self.noise())

    def circle(self):
        name, other = self.new(["css"], ".css"), self.new(["css"], ".css")
        self.write(self.places[0], name, self.css(name, [other]))
        self.write(self.places[0], other, self.css(other, [name]))

    def chain(self):
        """Have many files lead to each other in the order that is worst for Django, or nearly."""
        names = [self.new(["css/chain"], ".css") for _number in range(self.dice.randrange(3, 8))]
        for number, name in enumerate(names, 1):
            other = names[number] if number < len(names) else self.pick(".png")[1]
            self.write(self.places[0], name, self.css(name, [other]))

    def odd(self):
        """Name what is no file, or a file that is made."""
        place, name = self.pick(".css")
        other = self.dice.choice(["../img", ".", "#only", "../css/", "f1.0123456789ab.css"])
        self.write(place, name, f"a {{ background: url({other}) }}".encode())

    def copied(self):
        """Have a source that has the name of a compressed file, or of a manifest."""
        place, name = self.pick(".css", ".js")
        self.write(place, self.dice.choice([name + ".gz", "staticfiles.json"]), self.noise())

    def edit(self):
        usual = [self.change_css, self.change_image, self.change_js, self.add_css, self.add_js, self.add_image]
        seldom = [self.delete, self.rename, self.rename_referenced, self.touch, self.revert, self.shadow, self.exchange]
        rare = [self.circle, self.chain, self.odd, self.copied, self.same_size_same_second]
        done = self.dice.choice(usual * 3 + seldom * 2 + rare)
        done()
        return done.__name__

    def keep(self):
        self.good = {}
        for place, name in self.files():
            with open(os.path.join(place, name), "rb") as file:
                self.good[(place, name)] = file.read()

    def repair(self):
        """Take back what can't be collected."""
        for place, name in self.files():
            if (place, name) not in self.good and (self.good or name.endswith((".css", ".js"))):
                os.unlink(os.path.join(place, name))
        for (place, name), content in self.good.items():
            path = os.path.join(place, name)
            if os.path.exists(path):
                with open(path, "rb") as file:
                    if file.read() == content:
                        continue
            self.write(place, name, content)


def collect(root, options):
    """Collect in a process of its own; return the result, or the error's text."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        answer = {}
        try:
            answer = _collect(root, options)
        except BaseException as exc:  # noqa: BLE001
            answer = {"error": type(exc).__name__ + ": " + str(exc)}
        finally:
            with os.fdopen(writing, "w") as file:
                json.dump(answer, file)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        answer = json.load(file)
    os.waitpid(child, 0)
    return answer


def _collect(root, options):
    from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_collect
    from django.conf import settings
    from django.core.management import call_command

    settings.STATIC_ROOT = root

    def run():
        call_command("collectstatic", interactive=False, verbosity=0)

    with contextlib.redirect_stderr(io.StringIO()):
        if options is None:
            run()
            return {}
        return static_collect.collect(run, dict(options, in_container=False))


def tree(root):
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".juno"]
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


def difference(one, other):
    """Return in words what differs between two trees; nothing when they are the same."""
    words = ["only in the first: " + name for name in sorted(set(one) - set(other))]
    words += ["only in the second: " + name for name in sorted(set(other) - set(one))]
    words += ["other content: " + name for name in sorted(set(one) & set(other)) if one[name] != other[name]]
    return "; ".join(words[:8])


def plain(error):
    """Return an error's text without what is another one in each run."""
    return re.sub(r"0x[0-9a-f]+|[^/']*juno-staging-[^/']*", "", error)


def judge(base, whole):
    """Collect in each way; return the result and what is wrong."""
    roots = [os.path.join(base, name) for name in ("part", "whole", "django")]
    before = tree(roots[0])
    part = collect(roots[0], {})
    full = collect(roots[1], {"force": True})
    if ("error" in part) != ("error" in full):
        return part, f"one fails: {part.get('error')} / {full.get('error')}"
    if "error" in part:
        wrong = difference(before, tree(roots[0]))
        if plain(part["error"]) != plain(full["error"]):
            wrong = wrong or f"errors differ: {part['error']} / {full['error']}"
        return part, wrong
    one = tree(roots[0])
    wrong = difference(one, tree(roots[1]))
    wrong = wrong or ", ".join(
        name
        for name in ("copied", "unmodified", "added", "replaced", "removed", "manifest_hash_after", "entries")
        if part[name] != full[name]
    )
    if not wrong and whole:
        shutil.rmtree(roots[2], ignore_errors=True)
        collect(roots[2], None)
        made = tree(roots[2])
        # Without a manifest a file of that name is one like any other. The order of a manifest's entries is that in
        # which files are found, so one that differs in no more is left.
        manifest = json.loads(made.pop("staticfiles.json", b"{}").decode()) if part["has_manifest"] else {}
        if manifest and json.loads(one["staticfiles.json"].decode()) != manifest:
            wrong = "the manifest is not Django's"
        wrong = wrong or difference({name: one[name] for name in made if name in one}, made)
    if not wrong and collect(roots[0], {}).get("fingerprint") != "same":
        wrong = "the next run does not find all the same"
    return part, wrong


def configure(base, storage):
    import django
    from django.conf import settings

    values = {
        "STATIC_URL": "/static/",
        "STATIC_ROOT": "/nowhere",
        "INSTALLED_APPS": ["django.contrib.staticfiles"],
        "STATICFILES_DIRS": [os.path.join(base, "one"), os.path.join(base, "two")],
        "SECRET_KEY": "only for tests",
        "WHITENOISE_KEEP_ONLY_HASHED_FILES": storage == "only_hashed",
    }
    if django.VERSION >= (4, 2):
        values["STORAGES"] = {"staticfiles": {"BACKEND": STORAGES[storage]}}
    else:
        values["STATICFILES_STORAGE"] = STORAGES[storage]
    settings.configure(**values)
    django.setup()
    # Imported once, for all the processes.
    from ansible_collections.juno.deploy.plugins.module_utils._in_app import static_collect, static_fingerprint

    assert static_collect
    static_fingerprint.RACY_SECONDS = 0.03
    return django.get_version()


def main(base, storage, seed, edits):
    version = configure(base, storage)
    site = Site(base, int(seed))
    seen = {
        "django": version,
        "incremental": 0,
        "failed": 0,
        "whole": 0,
        "same": 0,
        "whys": {},
        "wrong": "",
        "edits": [],
    }
    #: Whether the last edit is to be taken back: all would be processed for ever.
    failed = odd = False
    for number in range(int(edits)):
        if odd or (failed and site.dice.random() < 0.8):
            what = "repair"
            site.repair()
        else:
            what = site.edit()
        time.sleep(0.05)
        part, wrong = judge(base, number % 3 == 0)
        failed = "error" in part
        odd = what in ("odd", "copied")
        if not failed and not odd:
            site.keep()
        kind = "failed" if failed else "incremental" if part["incremental"] else "whole"
        kind = "same" if part.get("fingerprint") == "same" else kind
        if kind == "whole":
            seen["whys"][part["incremental_why"][:120]] = seen["whys"].get(part["incremental_why"][:120], 0) + 1
        seen[kind] += 1
        seen["edits"].append(f"{what} {kind}")
        if wrong:
            seen["wrong"] = f"edit {number} ({what}, {kind}): {wrong}"
            break
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    main(*sys.argv[1:])
