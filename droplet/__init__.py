# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test droplet: a container with sshd and a Docker Engine of its own, for the demo, molecule and the bench."""
