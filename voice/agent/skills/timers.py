"""Timers and reminders: to set, to list and to cancel them."""

from __future__ import annotations

from typing import Annotated

from voice.agent.language.wording import capitalize_first, duration_in_words, join_words
from voice.agent.skills.quantities import Duration
from voice.agent.skills.registry import Context, skill
from voice.agent.timers import timer_name


@skill(
    "[set, start, make, create] [a, an, another, the] [timer, alarm] [for, of, to, in] $length",
    "[set, start] [a, an, another] $length timer",
    "(a, an) $length timer",
    "timer (for) $length",
    "[set, start] [a, an, another] $length timer [for, called, named] (the) $label",
    "[set, start] [a, an, another] timer [for, of] $length [for, called, named] (the) $label",
    "[set, start] [a, an, another] timer [for, of] $length and [call, name, label] it (the) $label",
    "[set, start] [a, an, another] $length timer and [call, name, label] it (the) $label",
    "[set, start] [a, an, another] $label timer [for, of] $length",
    "wake me (up) in $length",
    effect=True,
)
def set_timer(
    length: Duration, context: Context, label: Annotated[str, "what it is for, if they said"] = ""
) -> str:
    """Set a timer that rings."""
    try:
        timer = context.timers.set(float(length), label)
    except ValueError as error:
        return str(error)
    return f"{capitalize_first(timer_name(timer))} starts now."


@skill(
    "wake me (up) [at, by] $when",
    "(set, make) (an, the, my, a) [alarm, alarm clock] [for, at] $when",
    "[remind, call] me at $when (to $what)",
    "wake me (up) $when",
    offered=False,
)
def alarm(when: str, what: str = "") -> str:
    """Say that there are timers and no alarms."""
    return "I have no alarm clock. I can set a timer, such as: wake me in eight hours."


@skill("remind me in $length to $label", "remind me to $label in $length", effect=True)
def remind(length: Duration, label: Annotated[str, "what to do, such as call Mum"], context: Context) -> str:
    """Remind you of something."""
    said = set_timer(length, context, f"to {label}")
    return f"I'll remind you in {duration_in_words(length)}." if said.startswith("Your") else said


@skill(
    "how [much time is, long is] left (on) (the, my) ($label) (timer)",
    "how [much time, long] [is left, is remaining, does it have] (on) (the, my) ($label) (timer)",
    "(what, which) timers [are running, are set, do i have, are there] (running)",
    "[list, show, check, what are] (my, the, all) (my, the) (timer, timers)",
    "[are there, do i have] (any) timers (running)",
    "how [many, long] timers (are running, do i have)",
    "is [there a, a, the, my] timer (still) (running, on, set)",
)
def list_timers(context: Context, label: str = "") -> str:
    """Say which timers are running."""
    label = "" if label in ("timer", "timers") else label
    running = [each for each in context.timers.pending if label in ("", each.label)]
    if not running:
        return "No timer is running."
    said = [
        f"{timer_name(each)} has {duration_in_words(each.due - context.timers.now)} left" for each in running
    ]
    return f"{capitalize_first(join_words(said))}."


@skill(
    "[cancel, stop, delete, clear, remove, turn off] (the, my, that) [timer, timers]",
    "[cancel, stop, delete, clear, remove, turn off] all (of) (the, my) timers",
    "[cancel, stop, delete, remove] (the, my) $label [timer, reminder]",
    effect=True,
)
def cancel_timer(context: Context, label: str = "") -> str:
    """Cancel a timer."""
    gone = context.timers.cancel(label)
    if not gone:
        return f"There is no {label} timer." if label else "No timer is running."
    verb = "are" if len(gone) > 1 else "is"
    return f"{capitalize_first(join_words([timer_name(each) for each in gone]))} {verb} cancelled."
