"""The time in other places and the dates to come, by the calendar and the time zones of this computer."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from voice.agent.language.numbers import parse_number
from voice.agent.language.wording import capitalize_first, count_of
from voice.agent.skills.registry import Context, skill

_REGIONS = frozenset("Africa America Asia Atlantic Australia Europe Indian Pacific".split())
# Places with one time that no zone is named after; a country with several times is left out.
_PLACES_OF_ZONES = {
    "America/Los_Angeles": "california/san francisco/san diego/seattle/las vegas/oregon/washington state",
    "America/New_York": "boston/miami/philadelphia/atlanta/washington/washington dc/new york city",
    "America/Chicago": "dallas/houston/illinois",
    "America/Argentina/Buenos_Aires": "buenos aires/argentina",
    "Asia/Shanghai": "beijing/china/shenzhen",
    "Asia/Kolkata": "india/mumbai/delhi/new delhi/bangalore/calcutta",
    "Asia/Tokyo": "japan/kyoto/osaka",
    "Asia/Seoul": "south korea/korea",
    "Asia/Taipei": "taiwan",
    "Asia/Bangkok": "thailand",
    "Asia/Ho_Chi_Minh": "vietnam/hanoi/saigon",
    "Asia/Manila": "the philippines/philippines",
    "Asia/Dubai": "the emirates/abu dhabi",
    "Asia/Jerusalem": "israel/tel aviv",
    "Africa/Cairo": "egypt",
    "Africa/Johannesburg": "south africa/cape town",
    "Africa/Lagos": "nigeria",
    "Africa/Nairobi": "kenya",
    "Europe/London": "england/scotland/wales/the uk/britain/great britain/the united kingdom/manchester",
    "Europe/Dublin": "ireland",
    "Europe/Paris": "france/lyon/marseille",
    "Europe/Berlin": "germany/munich/hamburg/frankfurt/cologne",
    "Europe/Vienna": "austria/salzburg/graz",
    "Europe/Zurich": "switzerland/geneva/basel/bern",
    "Europe/Rome": "italy/milan/naples/florence/venice",
    "Europe/Madrid": "barcelona/seville/valencia",
    "Europe/Amsterdam": "the netherlands/netherlands/holland/rotterdam",
    "Europe/Brussels": "belgium/antwerp",
    "Europe/Lisbon": "porto",
    "Europe/Copenhagen": "denmark",
    "Europe/Stockholm": "sweden",
    "Europe/Oslo": "norway",
    "Europe/Helsinki": "finland",
    "Europe/Warsaw": "poland/krakow",
    "Europe/Prague": "the czech republic/czechia",
    "Europe/Budapest": "hungary",
    "Europe/Athens": "greece",
    "Europe/Istanbul": "turkey/ankara",
    "Europe/Moscow": "st petersburg/saint petersburg",
    "Europe/Kyiv": "ukraine/kiev",
    "Pacific/Auckland": "new zealand/wellington",
    "Pacific/Honolulu": "hawaii",
    "Atlantic/Reykjavik": "iceland",
}
_SMALL, _CAPITALS = frozenset("the of and".split()), frozenset("uk utc dc".split())
_MONTHS = "january february march april may june july august september october november december".split()
_LEAP_YEAR = 2000
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_FEASTS = {
    "christmas": (12, 25), "christmas day": (12, 25), "christmas eve": (12, 24), "boxing day": (12, 26),
    "new year": (1, 1), "new years": (1, 1), "new year's": (1, 1), "new year's day": (1, 1),
    "new year's eve": (12, 31), "halloween": (10, 31), "valentine's day": (2, 14), "valentines day": (2, 14),
    "st patrick's day": (3, 17),
}  # fmt: skip
_ORDINALS = dict(
    zip(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"
        " fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth".split(),
        [*range(1, 21), 30],
        strict=True,
    )
)


@lru_cache(maxsize=1)
def _zone_by_place() -> dict[str, str]:
    """Return {a place in lower case: the name of its zone}, without names that several zones share."""
    known = available_timezones()  # none on Windows without the package tzdata
    found: dict[str, set[str]] = {}
    for zone in known:
        region, _, city = zone.partition("/")
        if region in _REGIONS and city and "/" not in city:
            found.setdefault(city.replace("_", " ").lower(), set()).add(zone)
    places = {city: zones.pop() for city, zones in found.items() if len(zones) == 1}
    for zone, names in (_PLACES_OF_ZONES | {"UTC": "utc/greenwich"}).items():
        if zone in known:
            places |= dict.fromkeys(names.split("/"), zone)
    return places


class ZonedPlace(str):
    """A city, or a country with one time, such as "Tokyo"."""

    zone: str

    @staticmethod
    def parse(text: str) -> ZonedPlace | None:
        """Return the place of that name, or None."""
        zone = _zone_by_place().get(text) or _zone_by_place().get(text.removeprefix("the "))
        if zone is None:
            return None
        place = ZonedPlace(_title_case(text))
        place.zone = zone
        return place


@dataclass(frozen=True)
class CalendarDay:
    """A day of the year or of the week, such as "Christmas", "July 4th" or "Friday"."""

    name: str
    month: int = 0
    day: int = 0
    weekday: int | None = None

    @staticmethod
    def parse(text: str) -> CalendarDay | None:
        """Return the day of that name; None for what is no day, such as February 30th."""
        text = re.sub(r"^(?:next|this|the coming|coming) ", "", text.replace("’", "'"))
        if text in _WEEKDAYS:
            return CalendarDay(text.title(), weekday=_WEEKDAYS.index(text))
        found = _FEASTS.get(text) or _month_and_day(text)
        if found and found[1] > monthrange(_LEAP_YEAR, found[0])[1]:
            return None
        return CalendarDay(_title_case(text), *found) if found else None

    def next_date(self, today: date) -> date:
        """Return the first such date from `today` on; for a day of the week, from tomorrow on."""
        if self.weekday is not None:
            return today + timedelta(days=(self.weekday - today.weekday() - 1) % 7 + 1)
        year = today.year + ((self.month, self.day) < (today.month, today.day))
        while self.day > monthrange(year, self.month)[1]:  # a February 29th
            year += 1
        return date(year, self.month, self.day)


def _title_case(name: str) -> str:
    """Return a name with its capitals: "the UK", "Port of Spain", "New Year's Eve"."""
    written = {word: word for word in _SMALL} | {word: word.upper() for word in _CAPITALS}
    return " ".join(written.get(word, word.capitalize()) for word in name.split())


def _month_and_day(text: str) -> tuple[int, int] | None:
    """Read "july 4th", "the fourth of july", "december the twenty first"; None if there is no such day."""
    words = [word for word in text.split() if word not in ("the", "of")]
    months = [word for word in words if word in _MONTHS]
    day = _ordinal([word for word in words if word not in _MONTHS])
    return (_MONTHS.index(months[0]) + 1, day) if len(months) == 1 and day else None


def _ordinal(words: list[str]) -> int | None:
    """Return the day of the month that words say, from 1 to 31, or None."""
    *before, last = words or [""]
    tens = parse_number(" ".join(before)) if before else 0
    value = _ORDINALS.get(last) or parse_number(re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", last))
    if tens is None or value is None or value.denominator != 1 or (before and not 0 < value < 10):
        return None
    return int(tens + value) if 0 < tens + value < 32 else None


@skill(
    "what [time is it, is the time, is the (current) time, time it is] (now, right now) (over) in $place",
    "[what is, is] the (current) time in $place",
    "what time is it (now) in $place (now, right now, at the moment)",
    "(the, current) time in $place",
    "how late is it in $place",
)
def time_elsewhere(place: ZonedPlace, context: Context) -> str:
    """Tell the time in another city."""
    there = context.now.astimezone(ZoneInfo(place.zone))
    return f"It's {there.hour % 12 or 12}:{there:%M %p on %A} in {place}."


@skill("what [time is it, is the time, is the current time] (now) in $somewhere", offered=False)
def time_nowhere(somewhere: str, context: Context) -> str | None:
    """Say that a place is not known, or has more than one time."""
    if context.documents:
        return None
    return "I don't know that place, or it has several times. Ask for a large city there."


@skill(
    "how many [days, days is it, more days, days are there, days are left, days left]"
    " [until, till, to, before] $day",
    "how [long, many days] is it [until, till, to] $day",
    "how [long, many days] [until, till] $day",
    "how far [away, off] is $day",
)
def days_until(day: CalendarDay, context: Context) -> str:
    """Count the days until a date, such as Christmas."""
    today = context.now.date()
    when = day.next_date(today)
    days = (when - today).days
    if not days:
        return f"{capitalize_first(day.name)} is today."
    date = f"{when:%A, %B} {when.day}" if day.weekday is None else f"{when:%B} {when.day}"
    return f"{count_of(days, 'day')}. {capitalize_first(day.name)} is {date}."


@skill(
    "[what is, what will be, what was] the date (on, of) (the) $day",
    "what [date, day] [is, will be] (it on) $day",
    "what day of the week is $day",
    "when is $day",
    "on [what, which] [day, date] is $day",
)
def date_of(day: CalendarDay, context: Context) -> str:
    """Tell the date of a day to come, such as next Friday."""
    when = day.next_date(context.now.date())
    if day.weekday is None:
        return f"{capitalize_first(day.name)} is on {when:%A, %B} {when.day}, {when.year}."
    later = when + timedelta(days=7)
    return f"{day.name} is {when:%B} {when.day}, {when.year}. The one after it is {later:%B} {later.day}."
