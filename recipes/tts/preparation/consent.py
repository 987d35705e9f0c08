"""Whose voice it is, and that they agreed: no voice is trained or exported without.

A consent is a typed statement with a name and a date, or a recording in which the person says so. The words
of a recording are those of `SENTENCE`, as a recognizer hears them, and its speaker is compared with the
recordings that the voice is made of. The card of a voice keeps the consent.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from voice.errors import AudioError, VoiceError
from voice.models.card import sha256
from voice.types import Audio

SENTENCE = "I, NAME, agree that a synthetic voice is made of my recordings."
BEFORE, AFTER = ("i",), tuple("agree that a synthetic voice is made of my recordings".split())
NEEDED = {"agree", "voice", "my"}  # words of it that have to be heard as they are
MISHEARD = 3  # other words of the sentence that may be heard otherwise
LONGEST_NAME = 6  # words
SAME_SPEAKER = 0.68  # cosine of embeddings, below which 168 of 168 others' own recordings never fell
AGREEMENT = re.compile(
    r"\b(agree[sd]?|consent\w*|permi\w+|allow\w*|licen[cs]e\w*|public domain)\b", re.IGNORECASE
)
NEGATIONS = frozenset("not never no neither nor without cannot refuse refused refuses deny denied".split())
_NEGATED = re.compile(
    r"\b(?:not|never|no|nor|neither|without|cannot|\w+n['’]t|refus\w*|declin\w*|den(?:y|ied|ies)|withdr\w+|revok\w+)"
    r"(?:\s+\w+){0,3}?\s+(?:agree[sd]?|consent\w*|permi\w+|allow\w*|licen[cs]e\w*)\b"
    r"|\b(?:consent|permission|licen[cs]e)\s+(?:\w+\s+){0,3}?"
    r"(?:not|never|refused|denied|withheld|withdrawn|revoked|declined|missing|lacking)\b",
    re.IGNORECASE,
)
HOW = (
    "say whose voice it is and that they agreed: --consent statement.toml (with name, date and statement), "
    '--consent "NAME, YYYY-MM-DD: I agree that a synthetic voice is made of my recordings", or --consent '
    f'statement.wav, in which the person says: "{SENTENCE}"'
)

Hear = Callable[[Audio], str]  # what a recognizer writes down
Embed = Callable[[Audio], np.ndarray]  # whose voice it is, as a vector of length 1


@dataclass(frozen=True)
class Consent:
    """Who agreed to what, when, and how that is known.

    `kind` is "typed" or "spoken"; of a spoken one there are the sha256 of the recording and the `likeness` of
    its speaker to the recordings, a cosine.
    """

    person: str
    date: str  # YYYY-MM-DD
    statement: str
    kind: str = "typed"
    sha256: str = ""
    likeness: float = 0.0

    def table(self) -> dict[str, Any]:
        """Return what a card keeps of it."""
        return {name: value for name, value in asdict(self).items() if value}


class NoConsent(VoiceError):
    """Nobody says that the person agreed, or what is said does not hold."""


def read_consent(given: str | None) -> Consent:
    """Return the consent that a text or a TOML file states.

    Raises NoConsent, with what to do, where there is none, and where its name, date or agreement is missing.
    """
    if not given:
        raise NoConsent(f"no voice is made without the consent of whose it is: {HOW}")
    path = Path(given)
    if path.suffix.lower() == ".toml":
        return check_statement(_read_table(path), str(path))
    found = re.fullmatch(
        r"\s*(?P<name>\w[^:]*?),?\s+(?P<date>\d{4}-\d\d-\d\d)\s*[:,]\s*(?P<statement>.+)", given, re.DOTALL
    )
    if not found:
        raise NoConsent(f"{given[:60]!r} does not name a person, a date and what was agreed: {HOW}")
    return check_statement(found.groupdict(), "the statement")


def _read_table(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise NoConsent(f"{path} cannot be read ({error}): {HOW}") from error


def check_statement(row: Mapping[str, Any], where: str) -> Consent:
    """Return the consent of a table with name, date and statement. Raises NoConsent where one is missing."""
    person, statement = (" ".join(str(row.get(key) or "").split()) for key in ("name", "statement"))
    if not person:
        raise NoConsent(f"{where} does not say whose voice it is; it wants a name: {HOW}")
    return Consent(person, check_date(row.get("date"), where), _check_agreement(statement, where))


def check_date(given: Any, where: str) -> str:
    """Return a date as YYYY-MM-DD. Raises NoConsent for none, and for one that is still to come."""
    try:
        day = given if isinstance(given, datetime.date) else datetime.date.fromisoformat(str(given))
    except ValueError as error:
        raise NoConsent(
            f"{where} has no date of the form YYYY-MM-DD, the day of the consent: {HOW}"
        ) from error
    if isinstance(day, datetime.datetime):
        day = day.date()
    if day > datetime.date.today() + datetime.timedelta(days=1):  # east of here it may be tomorrow
        raise NoConsent(f"{where} is of {day}, which is still to come; give the day of the consent")
    return day.isoformat()


def _check_agreement(statement: str, where: str) -> str:
    if not AGREEMENT.search(_NEGATED.sub(" ", statement)):
        raise NoConsent(f"{where} does not say that the person agreed, nor what license allows it: {HOW}")
    return statement


def hear_consent(
    path: Path, sound: Audio, recordings: Sequence[Audio], hear: Hear, embed: Embed, day: datetime.date
) -> Consent:
    """Return the consent that is said in `sound`, the recording at `path`.

    Raises NoConsent where the words are others, or the speaker seems to be another than that of `recordings`.
    """
    words = hear(sound)
    person = match_sentence(words)
    if person is None:
        raise NoConsent(f'{path} says "{words[:200]}"; have the person say, with their name: "{SENTENCE}"')
    likeness = compare_speakers(embed(sound), [embed(each) for each in recordings])
    if likeness < SAME_SPEAKER:
        raise NoConsent(
            f"who speaks in {path} does not sound like the recordings (likeness {likeness:.2f}, it takes "
            f"{SAME_SPEAKER}); have the person of the recordings say the sentence, with the same microphone"
        )
    return Consent(person, day.isoformat(), words, "spoken", sha256(path), round(likeness, 3))


def match_sentence(heard: str) -> str | None:
    """Return the name in SENTENCE as it was heard; None where something else was said."""
    words = re.findall(r"[\w'’-]+", heard)
    plain = [word.lower() for word in words]
    if any(word in NEGATIONS or re.search(r"n['’]t$", word) for word in plain):
        return None  # "I, Anna, do not agree …" is one word from the sentence
    best: tuple[int, str] | None = None
    for start in range(len(words)):
        for count in range(1, LONGEST_NAME + 1):
            before, after = plain[:start], plain[start + count : start + count + len(AFTER) + 1]
            if start + count > len(words) or not NEEDED <= set(plain[start + count :]):
                continue
            wrong = Levenshtein.distance(before[-1:], BEFORE)
            wrong += min(Levenshtein.distance(after[:end], AFTER) for end in range(len(after) + 1))
            candidate = wrong, " ".join(words[start : start + count])
            best = min(best, candidate, key=lambda each: each[0]) if best else candidate
    return best[1] if best and best[0] <= MISHEARD else None


def compare_speakers(one: np.ndarray, others: Sequence[np.ndarray]) -> float:
    """Return the cosine of a voice with the mean of others. Raises AudioError where there is none."""
    if not others:
        raise AudioError("there is no recording to compare the speaker with")
    center = np.mean(others, axis=0)
    return float(one @ center / (np.linalg.norm(one) * np.linalg.norm(center)))
