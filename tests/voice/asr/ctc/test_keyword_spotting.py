from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc.alphabet import BLANK, CLASSES, FRAME, spell
from voice.asr.ctc.forced_alignment import place
from voice.asr.ctc.hotwords import hotwords
from voice.asr.ctc.keyword_spotting import Change, apply, believed, changes, spots
from voice.types import Word


def heard(text: str, *, sure: float = 0.9, pause: int = 2) -> np.ndarray:
    """Log-probabilities of a head that writes `text`, a letter and then `pause` blanks."""
    path = [BLANK] * 3
    for label in spell(text).labels:
        path += [label, *[BLANK] * pause]
    path += [BLANK] * 3
    chances = np.full((len(path), CLASSES), (1 - sure) / (CLASSES - 1))
    chances[np.arange(len(path)), path] = sure
    return np.log(chances).astype(np.float32)


def decoded(text: str, log_probs: np.ndarray, confidence: float = 0.5) -> list[Word]:
    """The words of a decoder that wrote `text`, timed by the letters."""
    words = text.split()
    places = place([f" {word}" for word in words], log_probs, FRAME * len(log_probs))
    return [Word(word, at.start, at.end, confidence) for word, at in zip(words, places, strict=True)]


def corrected(sound: str, text: str, *terms: str, confidence: float = 0.5) -> str:
    log_probs = heard(sound)
    words = apply(decoded(text, log_probs, confidence), log_probs, hotwords(terms))
    return " ".join(word.text for word in words)


MENDED = [
    ("we run kubernetes now", "We run Cuban Eddies now.", ("Kubernetes",), "We run Kubernetes now."),
    ("said missus win loudly", "said Mrs. Wynn, loudly", ("Nguyen = win",), "said Mrs. Nguyen, loudly"),
    ("ask doctor okafor", "Ask Dr. Oak a four?", ("Okafor",), "Ask Dr. Okafor?"),
    ("the sojourn was long", 'The "subjourn" was long.', ("sojourn",), 'The "sojourn" was long.'),
    ("sojourn was long", "Subjourn was long.", ("sojourn",), "Sojourn was long."),
    ("done sojourn was long", "Done. Subjourn was long.", ("sojourn",), "Done. Sojourn was long."),
    ("ask doctor sojourn", "Ask Dr. Subjourn?", ("sojourn",), "Ask Dr. sojourn?"),
    ("read anna karenina again", "Read Anna Kareena again.", ("Anna Karenina",), "Read Anna Karenina again."),
    ("the win's house", "The Wynn's house.", ("Nguyen = win",), "The Nguyen's house."),
    ("then kubernetes", "Then Cuban Eddies.", ("Kubernetes", "Cupertino"), "Then Kubernetes."),
]


@pytest.mark.parametrize(("sound", "text", "terms", "expected"), MENDED)
def test_a_term_that_is_heard_takes_the_place_of_what_was_written(sound, text, terms, expected):
    assert corrected(sound, text, *terms) == expected


KEPT = [
    ("we run cuban eddies now", "We run Cuban Eddies now.", ("Kubernetes",)),
    ("we run kubernetes now", "We run Kubernetes now.", ("Kubernetes", "kubernete")),
    ("the weather is fine today", "The weather is fine today.", ("wither", "fined", "Tooday")),
    ("we understand you", "We understand you.", ("stand", "under")),
    ("anna and hannah came", "Anna and Hannah came.", ("Anna", "Hannah")),
]


@pytest.mark.parametrize(("sound", "text", "terms"), KEPT)
def test_what_is_right_stays(sound, text, terms):
    assert corrected(sound, text, *terms, confidence=0.95) == text


def test_words_of_which_the_decoder_is_sure_need_more_than_a_likeness():
    log_probs = heard("the wastes of", sure=0.5)
    texts = []
    for sure in (0.02, 0.98):
        words = apply(decoded("the wastes of", log_probs, sure), log_probs, hotwords(["waists"]))
        texts.append(" ".join(word.text for word in words))
    assert texts == ["the waists of", "the wastes of"]


def test_the_term_has_the_times_of_its_letters_and_the_rest_keeps_its_own():
    log_probs = heard("we run kubernetes now")
    before = decoded("We run Cuban Eddies now.", log_probs)
    after = apply(before, log_probs, hotwords(["Kubernetes"]))
    right = decoded("We run Kubernetes now.", log_probs)
    assert [word.text for word in after] == [word.text for word in right]
    assert (after[2].start, after[2].end) == pytest.approx((right[2].start, right[2].end))
    assert after[2].confidence > 0.5
    assert (after[0], after[1], after[3]) == (before[0], before[1], before[4])


def test_every_word_of_a_term_has_its_own_time():
    log_probs = heard("read anna karenina again")
    after = apply(decoded("Read Anna Kareena again.", log_probs), log_probs, hotwords(["Anna Karenina"]))
    right = decoded("Read Anna Karenina again.", log_probs)
    assert [(w.text, w.start, w.end) for w in after] == [(w.text, w.start, w.end) for w in right]


def test_a_term_of_more_words_than_are_said_gets_a_time_for_each():
    log_probs = heard("we saw the louvre")
    after = apply(decoded("We saw the Loafer.", log_probs), log_probs, hotwords(["Musée du Louvre = louvre"]))
    assert [word.text for word in after] == ["We", "saw", "the", "Musée", "du", "Louvre."]
    assert all(one.end <= other.start for one, other in zip(after, after[1:], strict=False))


def test_spots_lie_where_the_term_is_said():
    log_probs = heard("we run kubernetes now and kubernetes then")
    words = decoded("we run kubernetes now and kubernetes then", log_probs)
    found = sorted(spots(log_probs, hotwords(["Kubernetes"])), key=lambda spot: spot.start)
    assert len(found) == 2
    for spot, word in zip(found, (words[2], words[5]), strict=True):
        assert abs(spot.start * FRAME - word.start) < 0.08
        assert abs(spot.end * FRAME - word.end) < 0.08
        assert spot.behind == pytest.approx(0.0, abs=1e-4)


def test_a_pause_inside_a_term_does_not_hide_it():
    log_probs = heard("kubernetes")
    longer = np.concatenate((log_probs[:12], np.repeat(log_probs[12:13], 40, axis=0), log_probs[12:]))
    assert len(spots(longer, hotwords(["Kubernetes"]))) == 1


def test_no_sound_and_no_words_change_nothing():
    empty = np.zeros((0, CLASSES), np.float32)
    assert apply([], empty, hotwords(["Kubernetes"])) == []
    assert apply([], heard("kubernetes"), hotwords(["Kubernetes"])) == []


def change(first: int, last: int, letters: int, **features) -> Change:
    known = {"gain": 5.0, "behind": 0.0, "doubt": 0.0, "listed": False} | features
    return Change(first, last, (Word(f"{first}-{last}", 0.0, 1.0),), letters=letters, **known)


def test_of_changes_that_overlap_the_likeliest_is_taken():
    offered = [change(0, 2, 6), change(1, 3, 8), change(3, 4, 6), change(2, 3, 1)]
    assert [each.words[0].text for each in believed(offered, 10)] == ["3-4", "1-3"]


def test_in_a_long_list_it_takes_more_to_be_believed():
    offered = [change(0, 1, 6)]
    assert believed(offered, 100) and not believed(offered, 10_000)


def test_a_listed_term_gives_way_to_another_only_for_a_good_reason():
    assert not believed([change(0, 1, 5, listed=True)], 10)


def test_offers_each_term_once_for_the_same_words():
    log_probs = heard("we run kubernetes now")
    offered = changes(decoded("We run Cuban Eddies now.", log_probs), log_probs, hotwords(["Kubernetes"]))
    assert len({(each.first, each.last) for each in offered}) == len(offered)
