"""The time and the date of today, from the clock of this computer."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from voice.agent.skills.registry import Context, skill


@skill(
    "[what time is it, what is the time, what time it is, the time, time, have you got the time]",
    "what time do [we, you] have",
    "[do you have, have you got, got] the time",
)
def time(context: Context) -> str:
    """Tell the time."""
    return f"It's {context.now.hour % 12 or 12}:{context.now:%M %p}."


@skill(
    "[what is, what was] [the date, today is date, today's date] (today)",
    "what [date, day] is it (today)",
    "what [date, day] is today",
    "what day of the week is it (today)",
    "[what is, which is] [today, the day today]",
    "(the) date (today)",
    "what [month, year] is it",
    "what is [the, today's] date",
    "[what day, what date] [is, was] $day",
    "what [is, was] the date $day",
)
def date(context: Context, day: Literal["yesterday", "today", "tomorrow"] = "today") -> str:
    """Tell the day and the date."""
    asked = context.now + timedelta(days=("yesterday", "today", "tomorrow").index(day) - 1)
    begin = {"yesterday": "It was", "today": "It's", "tomorrow": "It will be"}[day]
    return f"{begin} {asked:%A, %B} {asked.day}, {asked.year}."
