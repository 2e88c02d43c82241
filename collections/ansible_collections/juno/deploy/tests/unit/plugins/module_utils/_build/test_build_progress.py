# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docker compose build prints while it builds: Compose 2.26.1, BuildKit of Engine 26.1.5, plain progress."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._build import build_progress

#: As it came, a blank line between two looks at it.
FIRST = """\
#0 building with "default" instance using docker driver

#1 [worker internal] load build definition from Dockerfile

#1 transferring dockerfile: 359B done
#1 DONE 0.0s

#3 [worker internal] load metadata for docker.io/library/juno-base:trixie

#3 DONE 0.0s

#4 [worker internal] load .dockerignore

#4 transferring context: 2B done
#4 DONE 0.0s

#7 [web internal] load build context

#7 transferring context: 572B done
#7 DONE 0.0s

#6 [worker tools 1/3] FROM docker.io/library/juno-base:trixie
#6 DONE 0.0s

#8 [worker tools 2/3] WORKDIR /tools

#8 DONE 0.1s

#11 [web tools 3/3] RUN echo "installs tools" && sleep 1
#11 0.213 installs tools
#11 ...

#12 [web stage-1 4/7] RUN for i in 1 2 3; do echo "Collecting package-$i"; sleep 0.3; done
#12 0.210 Collecting package-1

#12 0.512 Collecting package-2
#12 DONE 1.1s

#11 [web tools 3/3] RUN echo "installs tools" && sleep 1
#11 DONE 1.3s

#16 [web stage-1 7/7] RUN --mount=type=cache,target=/root/.cache echo compiles; sleep 1
#16 0.145 compiles

#16 DONE 1.2s

#17 [web] exporting to image
#17 exporting layers

#17 exporting layers 2.0s done
#17 writing image sha256:db6ba727483f00952084b4d962e26dc211f7ae06c66e59c8f93f144c8b6f1d6c done
#17 naming to docker.io/library/app-web done
#17 DONE 2.0s
"""

LEGACY = """\
Sending build context to Docker daemon     440B

Step 1/11 : FROM juno-base:trixie AS tools
 ---> 00ff668a4281
Step 2/11 : WORKDIR /tools
 ---> Using cache
 ---> ffbf5fae5a52
Step 3/11 : RUN echo "installs tools" && sleep 1
 ---> Running in efc988cefc61
installs tools

 ---> Removed intermediate container efc988cefc61
 ---> 874fd0b92861
Step 9/11 : COPY . .
 ---> b286feb87fb4
Step 10/11 : RUN --mount=type=cache,target=/root/.cache echo compiles; sleep 1
"""


def steps_of(text: str) -> list[str]:
    return [step for batch in text.split("\n\n") for step in build_progress.begun(batch.splitlines())]


def test_the_steps_of_a_build():
    assert steps_of(FIRST) == [
        "[worker internal] load metadata for docker.io/library/juno-base:trixie",
        "[web internal] load build context",
        "[worker tools 2/3] WORKDIR /tools",
        '[web tools 3/3] RUN echo "installs tools" && sleep 1',
        '[web stage-1 4/7] RUN for i in 1 2 3; do echo "Collecting package-$i"; sleep 0.3; done',
        "[web stage-1 7/7] RUN echo compiles; sleep 1",
        "[web] exporting to image",
    ]


def test_the_steps_of_a_build_without_buildkit():
    assert steps_of(LEGACY) == [
        "Step 1/11 : FROM juno-base:trixie AS tools",
        'Step 3/11 : RUN echo "installs tools" && sleep 1',
        "Step 9/11 : COPY . .",
        "Step 10/11 : RUN echo compiles; sleep 1",
    ]


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        (["#12 [web 4/9] RUN pip install -r requirements.txt"], ["[web 4/9] RUN pip install -r requirements.txt"]),
        (["#12 [web 4/9] RUN pip install -r requirements.txt", "#12 CACHED"], []),
        (["#12 [web 4/9] RUN pip install", "#13 CACHED"], ["[web 4/9] RUN pip install"]),
        (["#1 [web 4/9] RUN pip install", "#12 CACHED"], ["[web 4/9] RUN pip install"]),
        (["#12 [4/9] RUN npm ci", "#12 ERROR: process did not complete successfully: exit code: 1"], []),
        (["#14 exporting to image"], ["exporting to image"]),
        (
            [f"#4 [web 1/9] FROM docker.io/library/python:3.9@sha256:{'a1' * 32}"],
            ["[web 1/9] FROM docker.io/library/python:3.9"],
        ),
        (["#4 [web 1/9] FROM python:3.9", "#4 sha256:a1b2 12.58MB / 50.0MB 1.2s"], ["[web 1/9] FROM python:3.9"]),
        (["#5 [auth] library/python:pull token for registry-1.docker.io"], []),
        (["#1 [internal] load local bake definitions"], []),
        (["#3 [internal] load build definition from Dockerfile"], []),
        (["#12 0.512 #13 [web 1/2] RUN no step"], []),
        (["Step 4/9 : RUN pip install"], ["Step 4/9 : RUN pip install"]),
        (["Step 4/9 : RUN pip install", " ---> Using cache"], []),
        ([" Image app-web Building ", ""], []),
        ([], []),
    ],
)
def test_lines_of_a_build(lines, steps):
    assert build_progress.begun(lines) == steps
