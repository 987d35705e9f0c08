"""Which questions rise at their end, and where: those that ask for a yes or a no (Pierrehumbert & Hirschberg
1990).

"Do you like it?" goes up, "What do you like?" and "Tea or coffee?" come down as statements do.
"""

from __future__ import annotations

import re

import numpy as np

QUESTION_WORDS = frozenset("who whom whose what which when where why how".split())
ASKING = frozenset(
    "am is are was were do does did have has had can could will would shall should may might must need "
    "ain't aren't isn't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't "
    "wouldn't shouldn't".split()
)
LEADING = frozenset(
    "and but so or well oh then now okay ok hey yes no sorry please to in on at for from by with of".split()
)
HIGH = 0.9  # of the way to the end a rise is over, for the last sound is often too short or soft to be heard
MARKS = ' ;:,.!?—…"()“”'


def rises(text: str) -> bool:
    """Whether a sentence is a question for yes or no. Of its clauses the last one that begins like a
    question decides; one without such a clause ("Really?", "You know him?") asks for confirmation."""
    if not re.search(r"\?[^\w.]*$", text):
        return False
    parts = re.split(r"[,;:—–\"“(]+", text.lower().replace("’", "'"))
    clauses = [re.findall(r"[\w']+", part) for part in parts]
    if any("or" in clause[:-1] for clause in clauses):
        return False
    for clause in reversed(clauses):
        first = next((word for word in clause if word not in LEADING), "")
        if first in ASKING:
            return True
        if first.split("'")[0] in QUESTION_WORDS:
            return False
    return True


def rise(phonemes: str) -> np.ndarray:
    """(L,) of a question that rises: how much of its rise, from 0 to 1, is done at the end of each phoneme;
    it begins at the last stress."""
    begin = max(phonemes.rfind("ˈ"), 0) or max(phonemes.rfind("ˌ"), 0)
    climb = HIGH * (len(phonemes.rstrip(MARKS)) - begin)
    return np.clip((np.arange(len(phonemes)) + 1 - begin) / max(climb, 1), 0.0, 1.0)
