from __future__ import annotations

from dataclasses import replace

import pytest

from voice.errors import ModelDamaged, ModelMissing
from voice.models.card import Card, hashes, read_card, write_card

CARD = Card(
    name="tiny",
    kind="recognizer",
    engine="whisper",
    rate=16_000,
    language="en",
    license="MIT",
    description='Says "hello" – and\nno more',
    files={"model.bin": "00ff", "vocabulary.txt": "11"},
    options={"context": "utterance", "margin": 0.2, "layers": [1, 2], "cut": True},
    scores={"librispeech test": {"wer": 0.12, "command": "python -m recipes.asr.evaluate"}},
    training={
        "data": "/home/anna/recordings",
        "hours": 0.1,
        "command": "voice train voice 'a b' --name tiny",
    },
)


def test_what_is_written_is_read_back(tmp_path):
    write_card(tmp_path, CARD)
    assert read_card(tmp_path) == CARD


def test_tables_that_are_not_known_are_ignored(tmp_path):
    write_card(tmp_path, CARD)
    path = tmp_path / "model.toml"
    path.write_text(path.read_text("utf-8") + '\n[rights]\nby = "anna"\n', "utf-8")
    assert read_card(tmp_path) == CARD


def test_a_card_of_a_model_that_nobody_trained_has_no_table_on_it(tmp_path):
    write_card(tmp_path, replace(CARD, training={}))
    assert "training" not in (tmp_path / "model.toml").read_text("utf-8")
    assert read_card(tmp_path).training == {}


def test_hashes_are_what_sha256sum_prints(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert hashes(tmp_path, ["a"]) == {
        "a": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    }


def test_a_folder_without_a_card_is_no_model(tmp_path):
    with pytest.raises(ModelMissing, match=r"no model\.toml"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('kind = "recognizer"', 'kind = "toaster"', "it is one of recognizer, voice, turn"),
        ('kind = "recognizer"', "", 'has no "kind"'),
        ("rate = 16000", 'rate = "fast"', "expected int"),
        ("rate = 16000", "rate = 16000\nspeed = 1", 'a card has no "speed"'),
        ("rate = 16000", "rate =", "cannot be read"),
    ],
)
def test_a_wrong_card_says_what_is_wrong(tmp_path, old, new, complaint):
    write_card(tmp_path, CARD)
    path = tmp_path / "model.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(ModelDamaged) as failure:
        read_card(tmp_path)
    assert complaint in str(failure.value) and str(path) in str(failure.value)
