"""Which questions rise at their end, and where: those that ask for a yes or a no (Pierrehumbert & Hirschberg
1990).

"Do you like it?" goes up, "What do you like?" and "Tea or coffee?" come down as statements do.
"""

from __future__ import annotations

import re

QUESTION_WORDS = frozenset("who whom whose what which when where why how".split())
ASKING = frozenset(
    "am is are was were do does did have has had can could will would shall should may might must need "
    "ain't aren't isn't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't "
    "wouldn't shouldn't".split()
)
OPENERS = frozenset(
    "and but so or well oh then now okay ok hey yes no sorry please to in on at for from by with of".split()
)


def is_rising_question(sentence: str) -> bool:
    """Tell whether a whole sentence is a question for yes or no.

    It is one if a clause begins with an auxiliary, unless a later clause asks for something else ("Is it
    late, and where are we?"), or if no clause begins like a question ("Really?", "You know him?").
    """
    if not re.search(r"\?[^\w.]*$", sentence):
        return False
    plain = re.sub(r"\bor (so|two|more|less|not)\b", "", sentence.lower().replace("’", "'"))
    parts = re.split(r"[,;:—–\"“(]+", plain)
    clauses = [re.findall(r"[\w']+", part) for part in parts]
    if any("or" in clause[:-1] for clause in clauses):
        return False
    openings = [([word for word in clause if word not in OPENERS] + ["", ""])[:2] for clause in clauses]
    asked = False
    for first, second in openings:
        if first in ASKING:
            asked = True
        elif asked and first in QUESTION_WORDS and second in ASKING:
            return False
    return asked or not any(first.split("'")[0] in QUESTION_WORDS for first, _ in openings)
