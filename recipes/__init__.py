"""Trainings, each one visible loop, with what they prepare, measure and export."""

import data  # noqa: F401  it explains the failures of programs here too
