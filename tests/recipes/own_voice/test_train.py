"""A voice from recordings by one command: whole on data/tiny, gone on with, refused without a consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from recipes import reproduce
from recipes.own_voice import train
from recipes.own_voice.options import Options, check_options
from recipes.own_voice.train import TINY
from recipes.tts.preparation.consent import NoConsent
from voice import load_voice
from voice.errors import VoiceError
from voice.models.card import read_card

CONSENT = "Anna, 2026-11-30: I agree"
OPTIONS = Options(source=TINY / "train.jsonl", name="anna", consent=CONSENT)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"name": "../anna"}, "name"),
        ({"name": "heart"}, "heart"),
        ({"source": TINY / "nothing"}, "is not there"),
        ({"consent": None}, "no voice is made without the consent"),
        ({"consent": "sure"}, "does not name a person"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(wrong, complaint, tmp_path):
    with pytest.raises(VoiceError, match=complaint):
        train.train_voice(replace(OPTIONS, run=tmp_path / "run", **wrong))
    assert not (tmp_path / "run").exists()


def test_no_consent_is_a_fault_of_its_own():
    with pytest.raises(NoConsent):
        check_options(replace(OPTIONS, consent=None))


def test_smoke_makes_a_voice_that_speaks_a_card_and_a_report(tmp_path, capsys):
    options = Options(smoke=True, run=tmp_path / "run", name="anna", command="voice train voice tiny")
    options = replace(options, out=tmp_path / "anna")
    made = train.train_voice(options)
    folder, card = made.model, read_card(made.model)
    assert card.name == "anna" and card.language == "en" and "Apache" not in card.license
    assert card.consent["person"] == "heart" and card.consent["date"] == "2026-01-01"
    assert card.training["command"] == "voice train voice tiny" and card.training["hours"] > 0.005
    assert "anna" in made.summary and str(folder) in made.example
    assert card.scores["recordings WER"] < 0.3 and "invented WER" in card.scores
    speech = list(load_voice(str(folder)).speak("Good morning."))
    assert sum(each.audio.duration for each in speech) > 0.2
    page = made.report.read_text("utf-8")
    assert "anna" in page and "<audio" in page and "<script" not in page
    told = capsys.readouterr().out
    assert "plan" in told

    found = list(reproduce.reproduce(reproduce.Options(model=str(folder), run=tmp_path / "run")))
    assert len(found) >= 8
    assert [each for each in found if each.now is None or each.differs(0.01)] == []

    assert train.train_voice(options) == made  # which has nothing left to do
    assert "step 6/6" in told and "step 6/6" not in capsys.readouterr().out
