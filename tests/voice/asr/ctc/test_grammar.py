from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc import grammar
from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.asr.ctc.grammar import Grammar, Mark, Sentences, Symbol, compile, decode
from voice.asr.ctc.head import align
from voice.errors import VoiceError


def heard(text: str, *, sure: float = 0.9, pause: int = 1, seed: int | None = None) -> np.ndarray:
    """Log-probabilities of a head that writes `text`, a letter and then `pause` blanks, noisy with a seed."""
    path = [BLANK] * 3
    for label in spell(text).labels:
        path += [label, *[BLANK] * pause]
    path += [BLANK] * 3
    chances = np.full((len(path), CLASSES), (1 - sure) / (CLASSES - 1))
    chances[np.arange(len(path)), path] = sure
    logits = np.log(chances)
    if seed is not None:
        logits = logits + np.random.default_rng(seed).normal(size=logits.shape)
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def grammar_of(*texts: str) -> Grammar:
    """A grammar of plain sentences, each its own mark."""
    sentences = Sentences()
    start = None
    for rank, text in enumerate(texts):
        number = sentences.ending(Mark(rank, text))
        for word in reversed(text.split()):
            number = sentences.before(Symbol(word), number)
        start = number if start is None else sentences.either(start, number)
    return compile(sentences, start)


PHRASES = ("turn on the light", "turn off the light", "turn on the fan", "a", "an apple", "good day")


@pytest.mark.parametrize("text", PHRASES)
def test_the_sentence_that_was_said_is_found_word_for_word(text):
    parse = decode(heard(text), grammar_of(*PHRASES))
    assert parse.mark == text
    assert [said.symbol.word for said in parse.words] == text.split()
    assert parse.gap == 0.0


@pytest.mark.parametrize("seed", range(8))
def test_finds_what_trying_every_sentence_finds(seed):
    log_probs = heard("turn on the late", sure=0.4, pause=seed % 3, seed=seed)

    def likelihood(text: str) -> float:
        labels = spell(text).labels
        path = np.full(len(log_probs), BLANK)
        for label, (start, end) in zip(labels, align(log_probs, labels), strict=True):
            path[start:end] = label
        return float(log_probs[np.arange(len(path)), path].sum())

    parse = decode(log_probs, grammar_of(*PHRASES), floor=-1e9)
    best = max(PHRASES, key=likelihood)
    assert parse.mark == best
    assert parse.gap == pytest.approx(likelihood(best) - log_probs.max(axis=1).sum(), abs=1e-3)


def test_words_have_the_frames_of_their_letters():
    (first, second) = decode(heard("an apple"), grammar_of("an apple")).words
    assert (first.start, first.end) == (3, 6)
    assert (second.start, second.end) == (9, 18)


def test_double_letters_need_the_blank_between_them():
    parse = decode(heard("apple", pause=0), grammar_of("aple", "an apple"))
    assert parse.mark == "aple"


def test_other_speech_is_far_from_every_sentence():
    close = decode(heard("turn on the light", sure=0.6), grammar_of(*PHRASES))
    far = decode(heard("we went to the sea on sunday", sure=0.6), grammar_of(*PHRASES))
    assert far.gap < close.gap - 50


def test_too_short_a_sound_fits_no_sentence():
    assert decode(heard("turn on the light")[:5], grammar_of("turn on the light")) is None
    assert decode(np.zeros((0, CLASSES), np.float32), grammar_of("a")) is None


def test_alternatives_add_to_the_graph_and_do_not_multiply_it():
    sentences = Sentences()
    number = sentences.ending(Mark(0, "order"))
    for place in range(12):
        choices = [sentences.before(Symbol(f"{letter}{'x' * place}y"), number) for letter in "abcd"]
        while len(choices) > 1:
            choices.append(sentences.either(choices.pop(), choices.pop()))
        number = choices[0]
    assert len(compile(sentences, number).labels) < 12 * 4 * 14  # of 4 ** 12 sentences


def test_sentences_are_the_same_whatever_the_order_of_building():
    sentences = Sentences()
    end = sentences.ending(Mark(0, None))
    one, two = (sentences.before(Symbol(word), end) for word in ("yes", "no"))
    assert sentences.either(one, two) == sentences.either(two, one)
    assert sentences.either(one, one) == one


def test_equal_words_of_two_marks_go_to_the_first():
    sentences = Sentences()
    ways = [sentences.before(Symbol("stop"), sentences.ending(Mark(rank, rank))) for rank in (1, 0)]
    assert decode(heard("stop"), compile(sentences, sentences.either(*ways))).mark == 0


def test_a_sentence_without_words_is_refused():
    sentences = Sentences()
    with pytest.raises(VoiceError, match="no word at all"):
        compile(sentences, sentences.ending(Mark(0, None)))


def test_a_grammar_too_large_to_decode_is_refused(monkeypatch):
    monkeypatch.setattr(grammar, "LARGEST", 10)
    with pytest.raises(VoiceError, match="fewer values"):
        grammar_of("turn on the light")


def test_reluctance_to_write_nothing_keeps_long_sentences_from_passing_for_short_ones():
    log_probs = heard("get milk", sure=0.9)
    mumbled = np.full((30, CLASSES), np.log(0.4 / (CLASSES - 1)), np.float32)
    mumbled[:, BLANK] = np.log(0.6)
    for place, label in zip(range(2, 30, 3), spell("almond").labels, strict=False):
        mumbled[place, label] = np.log(0.12)
    begin = 4 + 2 * len("get")  # the blanks after "get", before the space
    sound = np.concatenate((log_probs[: begin + 1], mumbled, log_probs[begin - 1 :]))
    phrases = grammar_of("get milk", "get almond milk")
    assert decode(sound, phrases).mark == "get milk"
    assert decode(sound, phrases, reluctance=3.0).mark == "get almond milk"
