"""What the agent can do by itself, asked as people ask."""

from __future__ import annotations

import random
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo, available_timezones

import pytest

from voice.agent import Context, Timers, everyday_skills, skill
from voice.agent.language.numbers import format_number
from voice.agent.language.phrases import normalize_request
from voice.agent.skills import dates
from voice.agent.skills.registry import answer, skill_from

NOW = datetime(2026, 11, 22, 15, 5)
SKILLS = everyday_skills()


NOWHERE = "I don't know that place, or it has several times. Ask for a large city there."


def ask(request: str, timers: Timers | None = None, last: str = "") -> str | None:
    return answer(request, SKILLS, Context(NOW, timers or Timers(), last, random.Random(1), SKILLS))


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("What time is it?", "It's 3:05 PM."),
        ("Hey, could you tell me what time it is, please?", "It's 3:05 PM."),
        ("What's the date today?", "It's Sunday, November 22, 2026."),
        ("What is twelve times seven?", "84."),
        ("What's 12 x 7?", "84."),
        ("Calculate the square root of 144.", "12."),
        ("What is fifteen percent of eighty?", "12."),
        ("20 is what percent of 80?", "25 percent."),
        ("Twelve times seven equals what?", "84."),
        ("What is 1,250 plus 3,750?", "5000."),
        ("What is ten divided by zero?", "That divides by zero, which has no answer."),
        ("Convert five miles to kilometers.", "5 miles is about 8.05 kilometers."),
        ("How many feet are in a mile?", "1 mile is 5280 feet."),
        ("What is 212 degrees Fahrenheit in Celsius?", "212 degrees Fahrenheit is 100 degrees Celsius."),
        ("What is 5 foot 10 in centimeters?", "That is 177.8 centimeters."),
        ("How many miles are in a kilogram?", "Kilograms and miles measure different things."),
        ("How many megabytes in a gigabyte?", "1 gigabyte is 1000 megabytes."),
        ("Spell necessary.", "Necessary: N, E, C, E, S, S, A, R, Y."),
        ("How do you spell rhythm?", "Rhythm: R, H, Y, T, H, M."),
        ("Hello there.", "Hello. What can I do for you?"),
        ("Thank you.", "You're welcome."),
        ("Roll a 20-sided die.", "5."),
        ("What timers do I have?", "No timer is running."),
        ("What day is tomorrow?", "It will be Monday, November 23, 2026."),
        ("What was the date yesterday?", "It was Saturday, November 21, 2026."),
        ("Stop!", ""),
        ("That's enough, thanks.", ""),
        ("Could you speak a bit more slowly, please?", "I'll speak slower."),
        ("Say good night, Tom.", "Good night, Tom."),
        ("What is 12x7?", "84."),
        ("What's 20% off 50?", "40."),
        ("Could you tell me what 12x7 is?", "84."),
        ("What do you get if you multiply 12 by 7?", "84."),
        ("How far is 5 k in miles?", "5 kilometers is about 3.11 miles."),
        ("How many miles are in a 10K?", "10 kilometers is about 6.21 miles."),
        ("What is 300 K in Celsius?", "300 kelvins is 26.85 degrees Celsius."),
        ("Set a timer for 5 minutes and call it tea.", "Your tea timer for 5 minutes starts now."),
        ("Wake me up at 7.", "I have no alarm clock. I can set a timer, such as: wake me in eight hours."),
        ("What time is it in Atlantis?", NOWHERE),
        ("What time is it in Australia?", NOWHERE),
        ("How many days until Christmas?", "33 days. Christmas is Friday, December 25."),
        ("How many days are left until the 4th of July?", "224 days. The 4th of July is Sunday, July 4."),
        ("How many days until November 22nd?", "November 22nd is today."),
        ("What is the date next Friday?", "Friday is November 27, 2026. The one after it is December 4."),
        ("What date is Sunday?", "Sunday is November 29, 2026. The one after it is December 6."),
        ("When is New Year's Eve?", "New Year's Eve is on Thursday, December 31, 2026."),
        (
            "When is the twenty first of December?",
            "The Twenty First of December is on Monday, December 21, 2026.",
        ),
        ("When is February 29?", "February 29 is on Tuesday, February 29, 2028."),
    ],
)
def test_answers_what_people_ask(request_: str, said: str) -> None:
    assert ask(request_) == said


@pytest.mark.parametrize(
    "request_",
    ["What is the capital of France?", "Sing me a song.", "What is 5?", "What is 12x?"],
)
def test_says_nothing_to_what_it_cannot_do(request_: str) -> None:
    assert ask(request_) is None


@pytest.mark.parametrize(
    "request_",
    ["How many days until Easter?", "How many days until February 30?", "When is May?"],
)
def test_no_date_is_made_up(request_: str) -> None:
    assert ask(request_) is None


@pytest.mark.parametrize("digits", [251, 310, 5000])
@pytest.mark.parametrize(
    "asked",
    [
        "What is {} times 9?", "What is one third of {}?", "What is 1/{} plus 1?", "Point {} plus one",
        "Convert {} km to miles", "Days until July {}?", "Set a timer for {} minutes", "Roll {} dice",
    ],
)  # fmt: skip
def test_what_is_too_long_for_a_number_is_none(asked: str, digits: int) -> None:
    ask(asked.format("9" * digits))
    ask(asked.format(" ".join("9" * digits)))


def test_the_time_elsewhere_is_that_of_its_zone() -> None:
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=ZoneInfo("UTC"))
    skills = everyday_skills()

    def there(place: str) -> str | None:
        return answer(f"What time is it in {place}?", skills, Context(noon, Timers(), skills=skills))

    assert there("Tokyo") == "It's 9:00 PM on Wednesday in Tokyo."
    assert there("New York") == "It's 8:00 AM on Wednesday in New York."
    assert there("the UK") == "It's 1:00 PM on Wednesday in the UK."
    assert there("New Delhi") == "It's 5:30 PM on Wednesday in New Delhi."
    assert there("San Juan") == NOWHERE  # of Argentina to the zones, of Puerto Rico to people


def test_without_time_zones_no_place_is_known(monkeypatch) -> None:
    monkeypatch.setattr(dates, "available_timezones", set)
    dates._zone_by_place.cache_clear()
    try:
        assert dates.ZonedPlace.parse("japan") is None
    finally:
        dates._zone_by_place.cache_clear()


def test_every_place_that_has_a_zone_is_known_to_the_computer() -> None:
    from voice.agent.skills.dates import _PLACES_OF_ZONES

    assert set(_PLACES_OF_ZONES) <= available_timezones()


def test_a_joke_is_told_and_another_one() -> None:
    assert ask("Tell me a joke.") and ask("Do you know another joke?")


# How recognizers write a calculation of two numbers, and people do.
FORMS = {
    "*": "{a}x{b}|{a}x {b}|{a} x{b}|{a} X {b}|{a} by {b}|{a} times {b}|{a}×{b}|{a}*{b}|{a} · {b}|{a}⋅{b}"
    "|{a}times{b}|{a} multiplied by {b}|multiply {a} by {b}|the product of {a} and {b}",
    "/": "{a}/{b}|{a} / {b}|{a}÷{b}|{a} over {b}|{a} divided by {b}|{a} divided by{b}|divide {a} by {b}",
    "+": "{a}+{b}|{a} + {b}|{a} plus {b}|{a}plus {b}|add {a} and {b}|add {a} to {b}|the sum of {a} and {b}",
    "-": "{a}-{b}|{a} - {b}|{a}−{b}|{a} – {b}|{a} minus {b}|{a}‐{b}|subtract {b} from {a}",
    "^": "{a}^2|{a}²|{a} squared|{a}squared|{a} to the power of 2|{a} to the 2nd power|{a}**2|{a} to the 2nd",
    "%": "{a}%of {b}|{a}% of {b}|{a} percent of {b}|{a} per cent of {b}",
}
VALUES = {
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "^": lambda a, b: a * a,
    "%": lambda a, b: a * b / 100,
}


@pytest.mark.parametrize("sign", FORMS)
def test_every_way_to_write_a_calculation_has_the_same_answer(sign: str) -> None:
    draw = random.Random(sign)
    for form in FORMS[sign].split("|"):
        for _ in range(5):
            a, b = (draw.choice(("7", "12", "144", "1.5", "0.25", "1,200", "30,000")) for _ in range(2))
            value = VALUES[sign](*(Fraction(each.replace(",", "")) for each in (a, b)))
            assert ask(f"What is {form.format(a=a, b=b)}?") == f"{format_number(value).capitalize()}.", form


def test_repeats_the_last_answer() -> None:
    assert ask("Say that again.", last="It's noon.") == "It's noon."
    assert ask("What did you say?") == "I haven't said anything yet."


def test_timers_are_set_listed_and_cancelled() -> None:
    timers = Timers()
    assert (
        ask("Set a timer for an hour and a half.", timers)
        == "Your timer for 1 hour and 30 minutes starts now."
    )
    assert (
        ask("Set a pasta timer for ten minutes, please.", timers)
        == "Your pasta timer for 10 minutes starts now."
    )
    assert ask("Remind me in two minutes to call Mum.", timers) == "I'll remind you in 2 minutes."
    timers.ring(60.0)
    assert ask("Is there a timer running?", timers).count(" left") == 3
    assert ask("How long is left on my timer?", timers) == ask("What timers are running?", timers)
    assert (
        ask("How long is left on the pasta timer?", timers)
        == "Your pasta timer for 10 minutes has 9 minutes left."
    )
    assert ask("Cancel the pasta timer.", timers) == "Your pasta timer for 10 minutes is cancelled."
    assert [timer.label for timer in timers.ring(130.0)] == ["to call mum"]
    assert ask("Cancel all my timers.", timers) == "Your timer for 1 hour and 30 minutes is cancelled."
    assert not timers.pending
    assert ask("Set a timer for three days.", timers) == "A timer can run for up to 24 hours."


def test_a_timer_rings_once() -> None:
    timers = Timers()
    timers.set(5.0)
    assert not timers.ring(4.9)
    assert len(timers.ring(5.0)) == 1
    assert not timers.ring(6.0)


def test_help_names_the_skills() -> None:
    assert ask("Tell me everything that you can do.") == ask("What can you do?")
    said = ask("What can you do?")
    for word in ("time", "arithmetic", "timer", "Spell", "dice"):
        assert word in said


def test_requests_are_brought_into_plain_form() -> None:
    assert normalize_request("What’s 1,000 + 2.5?!") == "what is 1000 + 2.5"


def test_a_skill_stays_a_plain_function_and_the_most_exact_phrase_wins() -> None:
    @skill("say $words")
    def say(words: str) -> str:
        """Say."""
        return words

    @skill("say hello")
    def greet() -> str:
        """Greet."""
        return "Good day."

    assert say("x") == "x"
    both = (skill_from(say), skill_from(greet))
    assert answer("Say hello.", both, Context(NOW, Timers())) == "Good day."
