"""Backchannels: words and sounds over the agent's speech that only show that somebody listens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from voice.types import Word

_LISTENING = frozenset(
    "m mm mmm mhm mmhm mmhmm mm-hmm mm-hm hm hmm hmmm hum uh-huh uh huh um er ah aha oh ooh ha haha"
    " yeah yep yup yes ya ok okay kay right sure wow nice great good cool true exactly indeed really"
    " i see got it go on of course all that's thats alright you".split()
)
_HUM = re.compile(r"m[aeiouyhm]*")  # what a lone "mm-hm" is taken for: "Mama.", "My..."
_MOST_WORDS = 5  # words of somebody who only listens
_ECHO_WORDS = 12  # of the last words played, so many may return through the microphone
_ECHO_SHARE = 0.66  # words are an echo if at least this share of them was played; some are misheard
_UNSURE = 0.4  # confidence below which a lone word is a noise


def says_something(text: str, words: Sequence[Word] = (), played: str = "") -> bool:
    """Tell whether words ask for the turn, unlike "mm-hm", "yeah, right" or a noise that looks like a word.

    Words that the agent has just `played` are its own and ask for nothing.
    """
    spoken = _bare_words(text)
    if _repeats(spoken, _bare_words(played)[-_ECHO_WORDS:]):
        return False
    if all(word.strip("-") in _LISTENING for word in spoken) and len(spoken) <= _MOST_WORDS:
        return False
    if len(spoken) == 1 and _HUM.fullmatch(spoken[0]):
        return False
    if re.fullmatch(r"\W*[\[(*♪].*[\])*♪]\W*", text):  # "[coughing]"
        return False
    return not (words and len(words) <= 2 and max(word.confidence for word in words) < _UNSURE)


def _repeats(spoken: Sequence[str], played: Sequence[str]) -> bool:
    """Tell whether most of some words are, in their order, among those that were played."""
    blocks = SequenceMatcher(None, spoken, played, autojunk=False).get_matching_blocks()
    return bool(spoken) and sum(block.size for block in blocks) >= _ECHO_SHARE * len(spoken)


def _bare_words(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.lower().replace("’", "'"))
