from pathlib import Path

import numpy as np
import pytest

from voice.text.english.homographs import (
    NOT_A_VERB,
    TABLE_BITS,
    VERB,
    HomographModel,
    HomographReading,
    extract_features,
    open_model,
    places_of,
    read_model,
    write_model,
)
from voice.text.english.pronunciation import pronounce

NOUN, AS_VERB = HomographReading("n", "ˈa", (NOT_A_VERB,)), HomographReading("v", "ˈb", (VERB,))
WORDS, TAGS = ("I", "will", "record", "it"), ("PRP", "MD", "VB", "PRP")


def model_that_prefers(reading: HomographReading) -> HomographModel:
    table = np.zeros(2**TABLE_BITS, np.int8)
    for places, _ in places_of(reading, extract_features(WORDS, TAGS, 2)):
        table[places] = 1
    return HomographModel({"record": (NOUN, AS_VERB)}, table, 0.5)


def test_the_reading_with_the_largest_weights_is_chosen():
    assert model_that_prefers(NOUN).choose(WORDS, TAGS, 2) == NOUN
    assert model_that_prefers(AS_VERB).choose(WORDS, TAGS, 2) == AS_VERB


def test_a_word_without_readings_is_left_to_the_reader():
    assert model_that_prefers(NOUN).choose(WORDS, TAGS, 1) is None


def test_words_share_what_tells_a_verb_from_a_noun():
    assert model_that_prefers(AS_VERB).is_verb(("They", "will", "survey", "it"), TAGS, 2)
    assert not model_that_prefers(NOUN).is_verb(("They", "will", "survey", "it"), TAGS, 2)


def test_a_written_model_is_read_as_it_was(tmp_path: Path):
    model = model_that_prefers(NOUN)
    write_model(tmp_path / "m.npz", model)
    found = read_model(tmp_path / "m.npz")
    assert found.readings == model.readings and found.scale == model.scale
    assert np.array_equal(found.table, model.table)


def test_the_model_of_the_package_is_small():
    path = Path(extract_features.__code__.co_filename).with_suffix(".npz")
    assert path.stat().st_size < 2_000_000
    assert len(open_model().readings) > 150


@pytest.mark.parametrize(
    "sentence, word, phonemes",
    [
        ("The moped was parked.", "moped", "mˈOpˌɛd"),
        ("She moped all day.", "moped", "mˈOpt"),
        ("The Blessed Virgin is praised.", "Blessed", "blˈɛsᵻd"),
        ("Many compounds of lead are toxic.", "lead", "lˈɛd"),
        ("They lead the way.", "lead", "lˈid"),
        ("Her phone runs Windows Mobile now.", "Mobile", "mˈObᵊl"),
        ("They had a terrible row .", "row", "ɹˈW"),
        ("They sat in the last row .", "row", "ɹˈO"),
        ("It has minute teeth.", "minute", "mInˈut"),
        ("Wait one minute more.", "minute", "mˈɪnət"),
        ("The shops close at nine.", "close", "klˈOz"),
        ("My cousin Cash lives with her husband.", "lives", "lˈɪvz"),
        ("They invest in wind energy.", "wind", "wˈɪnd"),
        ("He played live as a guitarist.", "live", "lˈIv"),
        ("Does live in the forest with bucks.", "Does", "dˈOz"),
    ],
)
def test_homographs_are_read_as_their_sentence_asks(sentence: str, word: str, phonemes: str):
    words = sentence.split()
    assert pronounce(words)[words.index(word)].rstrip(".") == phonemes


@pytest.mark.parametrize(
    "sentence, word, phonemes",
    [
        ("We survey the land.", "survey", "səɹvˈA"),
        ("The survey is done.", "survey", "sˈɜɹvˌA"),
        ("They insert the disc.", "insert", "ɪnsˈɜɹt"),
        ("The insert is free.", "insert", "ˈɪnsˌɜɹt"),
        ("They import cars.", "import", "ɪmpˈɔɹt"),
        ("The records are old.", "records", "ɹˈɛkəɹdz"),
    ],
)
def test_other_nouns_and_verbs_profit_from_what_the_model_learned(sentence: str, word: str, phonemes: str):
    words = sentence.split()
    assert pronounce(words)[words.index(word)].rstrip(".") == phonemes
