# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of the tests: real deploys of the demo site by every ansible-core, Python and setting that people have."""
