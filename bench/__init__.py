# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements: ratios in one run, because machines are shared and noisy."""
