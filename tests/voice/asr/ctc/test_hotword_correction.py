from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc.alphabet import BLANK, CLASSES, FRAME, spell
from voice.asr.ctc.forced_alignment import align_words
from voice.asr.ctc.hotword_correction import Correction, choose_corrections, find_corrections, insert_hotwords
from voice.asr.ctc.hotwords import parse_hotwords
from voice.asr.ctc.keyword_spotting import find_spots
from voice.types import Word


def spoken_log_probs(text: str, *, sure: float = 0.9, pause: int = 2) -> np.ndarray:
    """Log-probabilities of a head that writes `text`, a letter and then `pause` blanks."""
    path = [BLANK] * 3
    for label in spell(text).labels:
        path += [label, *[BLANK] * pause]
    path += [BLANK] * 3
    chances = np.full((len(path), CLASSES), (1 - sure) / (CLASSES - 1))
    chances[np.arange(len(path)), path] = sure
    return np.log(chances).astype(np.float32)


def decoder_words(text: str, log_probs: np.ndarray, confidence: float = 0.5) -> list[Word]:
    """The words of a decoder that wrote `text`, timed by the letters."""
    words = text.split()
    aligned = align_words([f" {word}" for word in words], log_probs, FRAME * len(log_probs))
    return [Word(word, at.start, at.end, confidence) for word, at in zip(words, aligned, strict=True)]


def correct(sound: str, text: str, *terms: str, confidence: float = 0.5) -> str:
    log_probs = spoken_log_probs(sound)
    words = insert_hotwords(decoder_words(text, log_probs, confidence), log_probs, parse_hotwords(terms))
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
    assert correct(sound, text, *terms) == expected


KEPT = [
    ("we run cuban eddies now", "We run Cuban Eddies now.", ("Kubernetes",)),
    ("we run kubernetes now", "We run Kubernetes now.", ("Kubernetes", "kubernete")),
    ("the weather is fine today", "The weather is fine today.", ("wither", "fined", "Tooday")),
    ("we understand you", "We understand you.", ("stand", "under")),
    ("anna and hannah came", "Anna and Hannah came.", ("Anna", "Hannah")),
]


@pytest.mark.parametrize(("sound", "text", "terms"), KEPT)
def test_what_is_right_stays(sound, text, terms):
    assert correct(sound, text, *terms, confidence=0.95) == text


def test_words_of_which_the_decoder_is_sure_need_more_than_a_likeness():
    log_probs = spoken_log_probs("the wastes of", sure=0.5)
    texts = []
    for sure in (0.02, 0.98):
        words = insert_hotwords(
            decoder_words("the wastes of", log_probs, sure), log_probs, parse_hotwords(["waists"])
        )
        texts.append(" ".join(word.text for word in words))
    assert texts == ["the waists of", "the wastes of"]


def test_the_term_has_the_times_of_its_letters_and_the_rest_keeps_its_own():
    log_probs = spoken_log_probs("we run kubernetes now")
    before = decoder_words("We run Cuban Eddies now.", log_probs)
    after = insert_hotwords(before, log_probs, parse_hotwords(["Kubernetes"]))
    right = decoder_words("We run Kubernetes now.", log_probs)
    assert [word.text for word in after] == [word.text for word in right]
    assert (after[2].start, after[2].end) == pytest.approx((right[2].start, right[2].end))
    assert after[2].confidence > 0.5
    assert (after[0], after[1], after[3]) == (before[0], before[1], before[4])


def test_every_word_of_a_term_has_its_own_time():
    log_probs = spoken_log_probs("read anna karenina again")
    after = insert_hotwords(
        decoder_words("Read Anna Kareena again.", log_probs), log_probs, parse_hotwords(["Anna Karenina"])
    )
    right = decoder_words("Read Anna Karenina again.", log_probs)
    assert [(w.text, w.start, w.end) for w in after] == [(w.text, w.start, w.end) for w in right]


def test_a_term_of_more_words_than_are_said_gets_a_time_for_each():
    log_probs = spoken_log_probs("we saw the louvre")
    after = insert_hotwords(
        decoder_words("We saw the Loafer.", log_probs),
        log_probs,
        parse_hotwords(["Musée du Louvre = louvre"]),
    )
    assert [word.text for word in after] == ["We", "saw", "the", "Musée", "du", "Louvre."]
    assert all(one.end <= other.start for one, other in zip(after, after[1:], strict=False))


def test_spots_lie_where_the_term_is_said():
    log_probs = spoken_log_probs("we run kubernetes now and kubernetes then")
    words = decoder_words("we run kubernetes now and kubernetes then", log_probs)
    found = sorted(find_spots(log_probs, parse_hotwords(["Kubernetes"])), key=lambda spot: spot.start)
    assert len(found) == 2
    for spot, word in zip(found, (words[2], words[5]), strict=True):
        assert abs(spot.start * FRAME - word.start) < 0.08
        assert abs(spot.end * FRAME - word.end) < 0.08
        assert spot.deficit == pytest.approx(0.0, abs=1e-4)


def test_a_pause_inside_a_term_does_not_hide_it():
    log_probs = spoken_log_probs("kubernetes")
    longer = np.concatenate((log_probs[:12], np.repeat(log_probs[12:13], 40, axis=0), log_probs[12:]))
    assert len(find_spots(longer, parse_hotwords(["Kubernetes"]))) == 1


def test_no_sound_and_no_words_change_nothing():
    empty = np.zeros((0, CLASSES), np.float32)
    assert insert_hotwords([], empty, parse_hotwords(["Kubernetes"])) == []
    assert insert_hotwords([], spoken_log_probs("kubernetes"), parse_hotwords(["Kubernetes"])) == []


def correction(first: int, last: int, letters: int, **features) -> Correction:
    known = {"gain": 5.0, "deficit": 0.0, "doubt": 0.0, "listed": False} | features
    return Correction(first, last, (Word(f"{first}-{last}", 0.0, 1.0),), letters=letters, **known)


def test_of_changes_that_overlap_the_likeliest_is_taken():
    offered = [correction(0, 2, 6), correction(1, 3, 8), correction(3, 4, 6), correction(2, 3, 1)]
    assert [each.words[0].text for each in choose_corrections(offered, 10)] == ["3-4", "1-3"]


def test_in_a_long_list_it_takes_more_to_be_believed():
    offered = [correction(0, 1, 6)]
    assert choose_corrections(offered, 100) and not choose_corrections(offered, 10_000)


def test_a_listed_term_gives_way_to_another_only_for_a_good_reason():
    assert not choose_corrections([correction(0, 1, 5, listed=True)], 10)


def test_offers_each_term_once_for_the_same_words():
    log_probs = spoken_log_probs("we run kubernetes now")
    offered = find_corrections(
        decoder_words("We run Cuban Eddies now.", log_probs), log_probs, parse_hotwords(["Kubernetes"])
    )
    assert len({(each.first, each.last) for each in offered}) == len(offered)
