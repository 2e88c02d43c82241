# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that only a person's commands get."""

import config.settings

globals().update({name: value for name, value in vars(config.settings).items() if name.isupper()})
