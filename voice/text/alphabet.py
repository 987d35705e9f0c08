"""The phoneme alphabet that the front end writes and every voice reads: one character a phoneme or mark.

It is misaki's set for American English. Diphthongs and affricates are single characters, capitals among them
(A of "day", I of "my", O of "go", W of "now", Y of "boy", T the flap of "water"). Punctuation marks and the
space stand for themselves. A stress mark stands directly before its vowel.
"""

from __future__ import annotations

PRIMARY_STRESS, SECONDARY_STRESS, LENGTH_MARK = "ˈ", "ˌ", "ː"
STRESSES = PRIMARY_STRESS + SECONDARY_STRESS
MODIFIERS = STRESSES + LENGTH_MARK  # color the phoneme beside them and take no time of their own
VOWELS = "AIOQWYaeoæɑɐɒɔəɚɛɜɪʊʌᵊᵻiu"
CONSONANTS = "bdfhjklmnprstvwxzðŋɡɹɾTʃʒθʤʧʔ"
MARKS = ' ;:,.!?—…"()“”'  # the space and punctuation; a voice may pause there
PUNCTUATION = frozenset(MARKS)
CLAUSE_MARKS = frozenset(",;:—…")  # marks at which a reader pauses inside a sentence
BOUNDARY = "_"  # the silence before and after a sentence
# The symbols of our acoustic models, in the order of their tables of embeddings.
SYMBOLS = BOUNDARY + MARKS + VOWELS + CONSONANTS + MODIFIERS


def has_sound(phonemes: str) -> bool:
    """Tell whether `phonemes` hold more than punctuation and spaces."""
    return any(phoneme not in PUNCTUATION for phoneme in phonemes)


def without_final_marks(phonemes: str) -> str:
    """Return `phonemes` without the punctuation and spaces at their end."""
    return phonemes.rstrip(MARKS)
