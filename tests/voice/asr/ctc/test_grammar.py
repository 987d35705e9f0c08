from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc import grammar
from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.asr.ctc.grammar import Grammar, SentenceEnd, Symbol, WordAutomaton, build_grammar
from voice.asr.ctc.grammar_decoding import decode
from voice.asr.ctc.head import align_labels
from voice.errors import VoiceError


def spoken_log_probs(text: str, *, sure: float = 0.9, pause: int = 1, seed: int | None = None) -> np.ndarray:
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
    automaton = WordAutomaton()
    start = None
    for rank, text in enumerate(texts):
        number = automaton.end(SentenceEnd(rank, text))
        for word in reversed(text.split()):
            number = automaton.prepend(Symbol(word), number)
        start = number if start is None else automaton.union(start, number)
    return build_grammar(automaton, start)


PHRASES = ("turn on the light", "turn off the light", "turn on the fan", "a", "an apple", "good day")


@pytest.mark.parametrize("text", PHRASES)
def test_the_sentence_that_was_said_is_found_word_for_word(text):
    parse = decode(spoken_log_probs(text), grammar_of(*PHRASES))
    assert parse.value == text
    assert [said.symbol.word for said in parse.words] == text.split()
    assert parse.gap == 0.0


@pytest.mark.parametrize("seed", range(8))
def test_finds_what_trying_every_sentence_finds(seed):
    log_probs = spoken_log_probs("turn on the late", sure=0.4, pause=seed % 3, seed=seed)

    def likelihood(text: str) -> float:
        labels = spell(text).labels
        path = np.full(len(log_probs), BLANK)
        for label, (start, end) in zip(labels, align_labels(log_probs, labels), strict=True):
            path[start:end] = label
        return float(log_probs[np.arange(len(path)), path].sum())

    parse = decode(log_probs, grammar_of(*PHRASES), floor=-1e9)
    best = max(PHRASES, key=likelihood)
    assert parse.value == best
    assert parse.gap == pytest.approx(likelihood(best) - log_probs.max(axis=1).sum(), abs=1e-3)


def test_words_have_the_frames_of_their_letters():
    (first, second) = decode(spoken_log_probs("an apple"), grammar_of("an apple")).words
    assert (first.start, first.end) == (3, 6)
    assert (second.start, second.end) == (9, 18)


def test_double_letters_need_the_blank_between_them():
    parse = decode(spoken_log_probs("apple", pause=0), grammar_of("aple", "an apple"))
    assert parse.value == "aple"


def test_other_speech_is_far_from_every_sentence():
    close = decode(spoken_log_probs("turn on the light", sure=0.6), grammar_of(*PHRASES))
    far = decode(spoken_log_probs("we went to the sea on sunday", sure=0.6), grammar_of(*PHRASES))
    assert far.gap < close.gap - 50


def test_too_short_a_sound_fits_no_sentence():
    assert decode(spoken_log_probs("turn on the light")[:5], grammar_of("turn on the light")) is None
    assert decode(np.zeros((0, CLASSES), np.float32), grammar_of("a")) is None


def test_alternatives_add_to_the_graph_and_do_not_multiply_it():
    automaton = WordAutomaton()
    number = automaton.end(SentenceEnd(0, "order"))
    for place in range(12):
        choices = [automaton.prepend(Symbol(f"{letter}{'x' * place}y"), number) for letter in "abcd"]
        while len(choices) > 1:
            choices.append(automaton.union(choices.pop(), choices.pop()))
        number = choices[0]
    assert len(build_grammar(automaton, number).labels) < 12 * 4 * 14  # of 4 ** 12 sentences


def test_sentences_are_the_same_whatever_the_order_of_building():
    automaton = WordAutomaton()
    end = automaton.end(SentenceEnd(0, None))
    one, two = (automaton.prepend(Symbol(word), end) for word in ("yes", "no"))
    assert automaton.union(one, two) == automaton.union(two, one)
    assert automaton.union(one, one) == one


def test_equal_words_of_two_marks_go_to_the_first():
    automaton = WordAutomaton()
    ways = [automaton.prepend(Symbol("stop"), automaton.end(SentenceEnd(rank, rank))) for rank in (1, 0)]
    assert decode(spoken_log_probs("stop"), build_grammar(automaton, automaton.union(*ways))).value == 0


def test_a_sentence_without_words_is_refused():
    automaton = WordAutomaton()
    with pytest.raises(VoiceError, match="no word at all"):
        build_grammar(automaton, automaton.end(SentenceEnd(0, None)))


def test_a_grammar_too_large_to_decode_is_refused(monkeypatch):
    monkeypatch.setattr(grammar, "MAX_NODES", 10)
    with pytest.raises(VoiceError, match="fewer values"):
        grammar_of("turn on the light")


def test_reluctance_to_write_nothing_keeps_long_sentences_from_passing_for_short_ones():
    log_probs = spoken_log_probs("get milk", sure=0.9)
    mumbled = np.full((30, CLASSES), np.log(0.4 / (CLASSES - 1)), np.float32)
    mumbled[:, BLANK] = np.log(0.6)
    for place, label in zip(range(2, 30, 3), spell("almond").labels, strict=False):
        mumbled[place, label] = np.log(0.12)
    begin = 4 + 2 * len("get")  # the blanks after "get", before the space
    sound = np.concatenate((log_probs[: begin + 1], mumbled, log_probs[begin - 1 :]))
    phrases = grammar_of("get milk", "get almond milk")
    assert decode(sound, phrases).value == "get milk"
    assert decode(sound, phrases, blank_penalty=3.0).value == "get almond milk"
