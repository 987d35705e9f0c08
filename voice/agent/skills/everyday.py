"""Time, arithmetic, units, timers, spelling and chance; all of it works without a network."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Literal

from voice.agent.language.arithmetic import NotArithmetic, calculate, is_calculation
from voice.agent.language.numbers import written
from voice.agent.language.units import Quantity, Unit, convert, find_unit, meant, named, parse_quantity
from voice.agent.skills.registry import Context, skill
from voice.agent.timers import Timer

MOST_DICE = 20
LONGEST_SPELLED = 60


class Duration(float):
    """A length of time with its unit, such as "90 seconds" or "an hour and a half"."""

    @staticmethod
    def parse(text: str) -> Duration | None:
        quantity = parse_quantity(text.removesuffix(" long"))
        if quantity is None or quantity.unit.dimension != "time":
            return None
        return Duration(quantity.amount * quantity.unit.factor)


class Amount(Quantity):
    """A number with its unit, such as "5 miles"."""

    @staticmethod
    def parse(text: str) -> Quantity | None:
        return parse_quantity(text)


class UnitName(Unit):
    """The name of a unit, such as "kilometers"."""

    @staticmethod
    def parse(text: str) -> Unit | None:
        return find_unit(text)


# ---- time and date


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


# ---- arithmetic and units


@skill(
    "[what is, how much is, what are, calculate, compute, work out, what does, solve, evaluate] $sum",
    "[what is, calculate] $sum [equal to, equals]",
    "(what is) the [result, value, answer] [of, to] $sum",
    "[what, how much] $sum [is, makes, equals]",
    "how much [does, do] $sum make",
    "what do [you, i, we] get [if, when] [you, i, we] $sum",
    "$sum",
)
def calculation(sum: Annotated[str, "such as (12 + 3) * 7, or in words"]) -> str | None:
    """Do arithmetic, such as twelve times seven or fifteen percent of eighty."""
    sum = re.sub(r" (?:equals?|equal to|makes?|is)(?: what)?$", "", sum)
    if not is_calculation(sum):
        return None
    try:
        return f"{_capital(written(calculate(sum)))}."
    except NotArithmetic:
        return None
    except ZeroDivisionError:
        return "That divides by zero, which has no answer."
    except OverflowError:
        return "That number is too large for me."


@skill(
    "(what is) $part [is what, what] percent of $whole",
    "what percent of $whole is $part",
    "what [percentage, percent] is $part of $whole",
    "what percentage of $whole is $part",
)
def percentage(part: float, whole: float) -> str:
    """Say what percentage one number is of another."""
    if not whole:
        return "Nothing is a percentage of zero."
    share = Fraction(str(part)) / Fraction(str(whole)) * 100
    return f"{_capital(written(share))} percent."


@skill(
    "convert $amount [to, into, in] $unit",
    "(what is, how much is) $amount [in, to, into, as] $unit",
    "how [many, much] $unit (are) (there) [are in, is in, in, is, are, to] $amount",
    "how [many, much] $unit [do, does] $amount (make)",
    "how [long, far, heavy, hot, cold, fast, big, warm] is $amount in $unit",
)
def conversion(amount: Amount, unit: UnitName) -> str:
    """Convert units, such as five miles to kilometers."""
    amount = meant(amount, unit)
    found = convert(amount, unit)
    left = f"{written(amount.amount)} {named(amount.unit, amount.amount)}"
    if found is None:
        return f"{_capital(amount.unit.many)} and {unit.many} measure different things."
    size = abs(found.amount)
    rounded = found.amount if size < 1 else Fraction(round(found.amount * 100), 100)
    said = written(rounded)
    about = "about " if rounded != found.amount and not said.startswith("about") else ""
    left = "that" if left.startswith("about") else left  # 5 feet 10, which is no round number of feet
    return f"{_capital(left)} is {about}{said} {named(unit, said)}."


# ---- timers


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
    return f"{_capital(_called(timer))} starts now."


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
    return f"I'll remind you in {spoken_duration(length)}." if said.startswith("Your") else said


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
    said = [f"{_called(each)} has {spoken_duration(each.due - context.timers.now)} left" for each in running]
    return f"{_capital(_joined(said))}."


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
    return f"{_capital(_joined([_called(each) for each in gone]))} {verb} cancelled."


# ---- spelling and chance


@skill(
    "spell (the word, out, the name) $word",
    "how [do you, do i, would you, to, is] spell (the word) $word",
    "how is $word spelled",
    "how [do you, would you] write $word",
    "what is the spelling of $word",
    offered=False,
)
def spell(word: str) -> str:
    """Spell a word."""
    if len(word) > LONGEST_SPELLED:
        return "That is too long to spell."
    letters = [each.upper() for each in word if each.isalnum()]
    return f"{_capital(word)}: {', '.join(letters)}." if letters else "I heard nothing to spell."


@skill("[flip, toss, throw] a coin", "heads or tails", "coin flip")
def coin(context: Context) -> str:
    """Flip a coin."""
    return context.random.choice(("Heads.", "Tails."))


@skill(
    "[roll, throw] [a, the, one] [die, dice]",
    "[roll, throw] (a, the) [dice, die]",
    "[roll, throw] $count dice",
    "[roll, throw] [a, an] $sides sided [die, dice]",
)
def dice(context: Context, count: int = 1, sides: int = 6) -> str | None:
    """Roll dice."""
    if not (1 <= count <= MOST_DICE and 2 <= sides <= 1000):
        return f"I can roll up to {MOST_DICE} dice."
    rolled = [context.random.randint(1, sides) for _ in range(count)]
    if count == 1:
        return f"{rolled[0]}."
    return f"{_joined([str(each) for each in rolled])}, which makes {sum(rolled)}."


@skill(
    "[pick, choose, give me, think of] a (random) number between $low and $high",
    "a number from $low to $high",
)
def random_number(low: int, high: int, context: Context) -> str:
    """Pick a number between two others."""
    return f"{context.random.randint(min(low, high), max(low, high))}."


# ---- how answers are worded


def spoken_duration(seconds: float) -> str:
    """Whole seconds as hours, minutes and seconds: "1 minute and 30 seconds"."""
    left, parts = max(0, round(seconds)), []
    for size, one in ((3600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {one}{'s' if count > 1 else ''}")
    return _joined(parts) if parts else "no time"


def ring_text(timer: Timer) -> str:
    """What the agent says when a timer rings."""
    if timer.label.startswith("to "):
        return f"Here is {_called(timer)}."
    return f"{_capital(_called(timer))} is done."


def _called(timer: Timer) -> str:
    if timer.label.startswith("to "):
        return f"your reminder {timer.label}"
    if timer.label:
        return f"your {timer.label} timer for {spoken_duration(timer.length)}"
    return f"your timer for {spoken_duration(timer.length)}"


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
