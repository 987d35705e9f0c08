from __future__ import annotations

import pytest

pytest.importorskip("sentencepiece")

from recipes.ctc.texts import read_text_encoder, text_encoder, train_text_encoder, write_lower, write_spoken
from voice.errors import VoiceError

TEXTS = ["The kettle boils at seven.", "The bus leaves at eight, and the kettle boils.", "Can you hear me?"]


@pytest.mark.parametrize(
    ("text", "lower", "spoken"),
    [
        ("The BUS leaves at 8.", "the bus leaves at 8", "the bus leaves at eight"),
        ("“Don’t!” he said—twice", "don't he said twice", "don't he said twice"),
        ("rock 'n' roll", "rock n roll", "rock n roll"),
        ("Der Käfer läuft.", "der käfer läuft", None),
        ("Всё хорошо", "всё хорошо", None),
        ("...", "", ""),
    ],
)
def test_texts_are_written_as_they_are_learned(text, lower, spoken):
    assert write_lower(text) == lower
    if spoken is not None:
        assert write_spoken(text) == spoken


@pytest.mark.parametrize("kind", ["characters", "pieces"])
def test_labels_join_to_the_text_that_they_were_made_of(kind):
    encode = train_text_encoder(TEXTS, "spoken", kind, 40)
    for text in TEXTS:
        labels = encode(text)
        assert all(0 < label < encode.units.classes for label in labels)
        assert encode.units.join(labels) == write_spoken(text)


def test_pieces_are_fewer_than_characters():
    letters, pieces = (train_text_encoder(TEXTS, "lower", kind, 60) for kind in ("characters", "pieces"))
    assert len(pieces(TEXTS[1])) < len(letters(TEXTS[1]))


def test_a_character_that_was_never_seen_is_left_out():
    for kind in ("characters", "pieces"):
        encode = train_text_encoder(TEXTS, "lower", kind, 40)
        assert encode.units.join(encode("the жbus")) == "the bus"


@pytest.mark.parametrize("kind", ["characters", "pieces"])
def test_a_run_that_goes_on_has_the_units_that_it_began_with(tmp_path, kind):
    first = text_encoder(tmp_path, TEXTS, "lower", kind, 40, resumes=False)
    again = text_encoder(tmp_path, ["something else"], "lower", kind, 40, resumes=True)
    assert again.units == first.units == read_text_encoder(tmp_path, "lower").units
    assert again(TEXTS[0]) == first(TEXTS[0])


def test_texts_without_words_are_refused():
    with pytest.raises(VoiceError, match="no transcript has a word"):
        train_text_encoder(["...", ""], "lower", "characters", 10)
