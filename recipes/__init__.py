"""Trainings, each one visible loop, with what they prepare, measure and export."""

from data.failures import explain_failures

explain_failures()
