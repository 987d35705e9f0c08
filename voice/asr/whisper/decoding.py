"""What a decoder came up with, and whether to believe it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.asr.ctc.alphabet import read, spell
from voice.asr.whisper.greedy import Row
from voice.asr.whisper.repeats import loops, once
from voice.asr.whisper.tokenizer import Tokenizer
from voice.metrics import edit_distance
from voice.types import Audio, Word

COMPRESSION_RATIO_THRESHOLD = 2.4  # what compresses more repeats itself (Radford et al. 2022)


@dataclass(frozen=True)
class Decoding:
    """How tokens are searched for, and when a result is not believed.

    `beam` 1 is greedy. A result whose mean log-probability is below `unsure`, or which is a loop, is
    searched again with `second_beam` and no repeated trigram. It counts as silence if the mean
    log-probability is below `nonsense`; and where P(no speech) is above `no_speech` already if it is below
    `mumbled`, or for a word or two (at most `brief` tokens) below `murmured`. (Set on noise and single words
    with tiny.en and base: of noise they make words at -0.7 and less where P(no speech) is above 0.5, at -1.4
    and less elsewhere; of single words at -1.3 and more, with it below 0.4.)

    A loop is what compresses more than `compression` times or has a phrase four times in a row, unless a
    head read the repeats too, at most `echoed` of its letters otherwise. It is searched for again without
    times, so that no phrase can hide behind them. If that is below `unsure`, it is silence where it was
    little else than a loop; what is left of a loop is cut to one phrase.

    Where a CTC head heard the same, a result that is more than `stray` of its letters away from
    what the head reads is searched again too, what the head heard at least `missed` letters of after
    the last word is heard by itself, and it is silence if the head read less than `unheard_of` of it or
    if it has at least `much` letters, of which more than `invented` are not among those that the head
    read: of few words an accent can hide so many. (Of clips with noise 5 dB
    below them, what is above has more words wrong than were said.) In other languages what was searched
    again is silence if the head read fewer than `thin` letters for each that is written.

    English words that are in the mean less sure than `believed` count as babble, and all words less
    sure than `clear` where the loudest half second lies below `quiet` (root mean square; speech is
    usually recorded at 0.07). (No dev clip is that unsure as it is; with so much noise that it is,
    one word in six is right.)
    """

    beam: int = 1
    second_beam: int = 5
    unsure: float = -1.0
    compression: float = COMPRESSION_RATIO_THRESHOLD
    no_speech: float = 0.5
    mumbled: float = -0.7
    murmured: float = -0.3
    brief: int = 4
    nonsense: float = -1.5
    tokens_per_second: float = 12.0
    left_off: float = 0.5  # seconds of speech after the time where it says that it left off: hear them too
    unheard: float = 3.0  # seconds of speech after the time where it believes that all was said: likewise
    stray: float = 0.75
    echoed: float = 0.5
    missed: int = 8
    unheard_of: float = 0.15
    invented: float = 0.7
    much: int = 40
    thin: float = 0.35
    believed: float = 0.3
    clear: float = 0.7
    quiet: float = 0.012


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """Tokens and what speaks for them; `chances` (tokens,) their log-probabilities.

    `ends_of_sentence` (tokens + 1,) is how likely a mark that ends a sentence was in the place of each token,
    and after the last; empty where that is not known.
    """

    tokens: tuple[int, ...]
    text: str
    chances: np.ndarray
    log_probability: float  # mean over the tokens, the end included
    no_speech: float
    until: float | None = None  # seconds; what comes after them has to be heard by itself
    left_off: bool = False  # by its own account
    ends_of_sentence: Sequence[float] = ()

    def end_of_sentence(self, place: int) -> float | None:
        """How likely a sentence ends before the token at `place`, if that is known."""
        return self.ends_of_sentence[place] if len(self.ends_of_sentence) == len(self.tokens) + 1 else None

    @property
    def compression_ratio(self) -> float:
        """Return how many times shorter zlib makes the text: high where it repeats itself."""
        return compression_ratio(self.text)


def compression_ratio(text: str) -> float:
    """Return how many times shorter zlib makes a text."""
    whole = text.encode()
    return len(whole) / len(zlib.compress(whole)) if whole else 0.0


SILENCE = Hypothesis((), "", np.zeros(0, np.float32), 0.0, 1.0)


def read_result(result, vocabulary: Tokenizer) -> Hypothesis:
    """What CTranslate2 returned for one row."""
    found = result.sequences_ids[0]
    total = result.scores[0] * len(found)  # scores are means over the tokens without the end
    mean = total / (len(found) + 1)
    chances = _chances(result, vocabulary.end)
    return _guess(found, chances, mean, result.no_speech_prob, vocabulary)


def read_row(row: Row, vocabulary: Tokenizer) -> Hypothesis:
    """What `voice.asr.whisper.greedy` returned for one."""
    chances = np.array(row.chances[: len(row.tokens)], np.float32)
    guess = _guess(row.tokens, chances, float(np.mean(row.chances)), row.no_speech, vocabulary)
    return replace(guess, ends_of_sentence=row.ends_of_sentence)


def _guess(
    found: Sequence[int], chances: np.ndarray, mean: float, no_speech: float, vocabulary: Tokenizer
) -> Hypothesis:
    tokens = tuple(token for token in found if token < vocabulary.end)
    until, left_off = vocabulary.last_time(found)
    if len(chances) != len(tokens):
        chances = np.full(len(tokens), mean, np.float32)
    text = vocabulary.text(tokens).strip()
    return Hypothesis(tokens, text, chances, mean, no_speech, until or None, left_off)


def _chances(result, end: int) -> np.ndarray:
    """Log-probabilities of the tokens below `end`, from the scores that all had at each step."""
    steps = result.logits[0] if result.logits else []
    pairs = zip(steps, result.sequences_ids[0], strict=False)  # there is a step more, for the end
    return np.array(
        [_log_softmax(np.asarray(step), token) for step, token in pairs if token < end], np.float32
    )


def _log_softmax(scores: np.ndarray, token: int) -> float:
    top = scores.max()
    return float(scores[token] - top - np.log(np.exp(scores - top).sum()))


def is_silence(guess: Hypothesis, limits: Decoding) -> bool:
    if guess.no_speech <= limits.no_speech:
        return guess.log_probability < limits.nonsense
    brief = len(guess.tokens) <= limits.brief
    return guess.log_probability < (limits.murmured if brief else limits.mumbled)


@dataclass(frozen=True)
class Reading:
    """What a head read in the sound; `spelled` where it knows the language's spelling, so that the text's
    letters can be compared with its own. Otherwise it only tells how much was said, and how often."""

    letters: str
    spelled: bool


def is_doubtful(guess: Hypothesis, reading: Reading | None, limits: Decoding) -> bool:
    """Whether to search again; `reading` is None without a head."""
    if is_loop(guess, reading, limits) or guess.log_probability < limits.unsure:
        return True
    return reading is not None and reading.spelled and strayed(guess.text, reading.letters) > limits.stray


def is_unheard(guess: Hypothesis, reading: Reading | None, limits: Decoding) -> bool:
    """Whether a head heard next to nothing of what the decoder wrote."""
    if reading is None or not reading.spelled or not guess.text:
        return False
    if len(reading.letters) < limits.unheard_of * len(guess.text):
        return True
    return len(guess.text) >= limits.much and invented(guess.text, reading.letters) > limits.invented


def is_thin(guess: Hypothesis, reading: Reading | None, limits: Decoding) -> bool:
    """Whether a head that does not know the language heard much less than the decoder wrote."""
    spelled = reading is None or reading.spelled
    return not spelled and len(reading.letters) < limits.thin * len(guess.text)


def better(first: Hypothesis, second: Hypothesis, reading: Reading | None, limits: Decoding) -> Hypothesis:
    """Return the guess closer to a head's letters; without them the second, searched with more care.

    A loop is never the better one, unless the head read the repeats too.
    """
    sound = [guess for guess in (second, first) if not is_loop(guess, reading, limits)]
    if len(sound) < 2 or reading is None or not reading.spelled:
        return (sound or [second])[0]
    return min(sound, key=lambda guess: strayed(guess.text, reading.letters))


def is_loop(guess: Hypothesis, reading: Reading | None, limits: Decoding) -> bool:
    """Whether a guess repeats itself and no head read the repeats too."""
    if not repeats(guess, limits):
        return False
    if reading is None:
        return True
    if reading.spelled:
        return strayed(guess.text, reading.letters) > limits.echoed
    read_twice = compression_ratio(reading.letters) > limits.compression
    return not read_twice or len(reading.letters) < len(guess.text) / 2


def is_mostly_loop(guess: Hypothesis, limits: Decoding) -> bool:
    return guess.compression_ratio > limits.compression


def repeats(guess: Hypothesis, limits: Decoding) -> bool:
    """Whether a guess repeats itself for the most part, or a phrase in it."""
    return is_mostly_loop(guess, limits) or loops(guess.text.lower().split())


def unlooped(guess: Hypothesis, vocabulary: Tokenizer) -> Hypothesis:
    """The guess with each loop cut to one phrase."""
    kept = once(guess.tokens)
    tokens = tuple(guess.tokens[index] for index in kept)
    return replace(
        guess,
        tokens=tokens,
        text=vocabulary.text(tokens).strip(),
        chances=guess.chances[kept],
        ends_of_sentence=(),
    )


def bounded(guess: Hypothesis, duration: float, limits: Decoding) -> Hypothesis:
    """`until` only where enough of the speech is left and there is progress."""
    if guess.until is None or guess.until < limits.left_off:
        return replace(guess, until=None)
    spare = limits.left_off if guess.left_off else limits.unheard
    return guess if duration - guess.until > spare else replace(guess, until=None)


def strayed(text: str, heard: str) -> float:
    """How far `text` is from the letters that a head heard: 0 is the same, 1 and more nothing like it."""
    return edit_distance(heard, read(spell(text).labels)) / max(1, len(heard))


def invented(text: str, heard: str) -> float:
    """The share of a text's letters that are not among those that a head heard: 0 is none, 1 all.

    What the text leaves out does not count.
    """
    written = read(spell(text).labels)
    left_out = max(0, len(heard) - len(written))
    return (edit_distance(heard, written) - left_out) / max(1, len(written))


def is_babble(words: Sequence[Word], speech: Audio, language: str, limits: Decoding) -> bool:
    """Whether words are too unsure, in the mean, to have been said to anyone here."""
    if not words:
        return False
    sure = float(np.mean([word.confidence for word in words]))
    unclear = sure < limits.clear and loudest(speech) < limits.quiet
    return unclear or (language == "en" and sure < limits.believed)


def loudest(speech: Audio, seconds: float = 0.5) -> float:
    """The root mean square of its loudest stretch of `seconds`."""
    size = min(len(speech.samples), round(seconds * speech.rate))
    if not size:
        return 0.0
    power = speech.samples[: len(speech.samples) // size * size].reshape(-1, size).astype(np.float64) ** 2
    return float(np.sqrt(power.mean(axis=1).max()))
