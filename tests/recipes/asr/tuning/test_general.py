from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from recipes.asr.tuning import general, terms
from voice import audio
from voice.errors import VoiceError
from voice.manifest import read_manifest
from voice.models.card import Card
from voice.types import Audio, Speech

RATE = 24_000


class Buzz:
    """A voice that buzzes, longer for longer texts."""

    def speak(self, text, controls):
        samples = 0.1 * np.sin(np.arange(len(text) * 800 / controls.speed) / 20)
        yield Speech(Audio(samples.astype(np.float32), RATE), text)


@pytest.fixture
def voices(monkeypatch) -> list[str]:
    """The names of the voices that were opened."""
    opened: list[str] = []

    def load(name, threads):
        opened.append(name)
        return Buzz()

    monkeypatch.setattr(general, "load_voice", load)
    for module in (general, terms):
        monkeypatch.setattr(module, "speaking_voices", lambda *_: ["heart", "lj", "kumo"])
    return opened


def test_without_corpora_voices_read_sentences_once(tmp_path, voices, monkeypatch):
    monkeypatch.delenv(general.CORPORA, raising=False)
    monkeypatch.setattr(general, "SENTENCES", tmp_path / "few.txt")
    (tmp_path / "few.txt").write_text("One.\nTwo two.\nThree three three.\nFour.\nFive.\n", "utf-8")
    found = general.general_speech(tmp_path / "out", "en", lambda line: None)
    learn, watch = (read_manifest(paths[0]) for paths in (found.learn, found.watch))
    assert {clip.text for clip in learn} | {clip.text for clip in watch} == {
        "One.", "Two two.", "Three three three.", "Four.", "Five.",
    }  # fmt: skip
    assert len(watch) == 2 and not {clip.id for clip in learn} & {clip.id for clip in watch}
    assert set(voices) == {"heart", "lj", "kumo"}
    sound = audio.read(learn[0].audio)
    assert sound.rate == 16_000 and abs(sound.duration - learn[0].duration) < 0.01
    voices.clear()
    assert general.general_speech(tmp_path / "out", "en", lambda line: None).learn == found.learn
    assert not voices, "what they have read is there"


def test_corpora_at_hand_come_before_voices(tmp_path, voices, monkeypatch):
    monkeypatch.setenv(general.CORPORA, str(tmp_path))
    for name in ("kathleen/train.jsonl", "kathleen/dev.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    found = general.general_speech(tmp_path / "out", "en", lambda line: None)
    assert found.learn == (f"{tmp_path}/kathleen/train.jsonl:40",)
    assert found.watch == (f"{tmp_path}/kathleen/dev.jsonl",) and not voices


def test_a_language_without_a_voice_is_told(tmp_path, voices):
    found = general.general_speech(tmp_path, "de", lambda line: None)
    assert not found.learn and "--general" in found.origin


def test_terms_are_read_by_all_voices_and_one_is_only_watched(tmp_path, voices):
    found = terms.term_speech(["xylofen"], tmp_path, tell=lambda line: None)
    learn, watch = read_manifest(found.learn), read_manifest(found.watch)
    assert {clip.speaker for clip in learn} == {"heart", "lj"} and {clip.speaker for clip in watch} == {
        "kumo"
    }
    assert all("xylofen" in (clip.text or "").lower() for clip in (*learn, *watch))
    assert not {clip.text for clip in learn} & {clip.text for clip in watch}
    with pytest.raises(VoiceError, match="two voices"):
        terms.term_speech(["xylofen"], tmp_path / "other", voices=["heart"], tell=lambda line: None)


def test_voices_that_read_speak_the_language_and_differ(monkeypatch):
    def entry(
        name: str, engine: str, sex: str, language: str = "en", *, here: bool = True
    ) -> SimpleNamespace:
        card = Card(name, "voice", engine, RATE, language, "MIT", options={"accent": "American", "sex": sex})
        return SimpleNamespace(name=name, card=card, in_place=here)

    known = [
        entry("a1", "fast", "woman"), entry("a2", "fast", "woman"), entry("b", "fast", "man"),
        entry("c", "fine", "man"), entry("elsewhere", "fine", "woman", here=False),
        entry("dora", "fine", "woman", "es"),
    ]  # fmt: skip
    monkeypatch.setattr(general, "entries", lambda: {each.name: each for each in known})
    assert general.speaking_voices("en", 3) == ["a1", "b", "c"], "one of each kind before a second one"
    assert general.speaking_voices("en", 8) == ["a1", "b", "c", "a2"]
    assert general.speaking_voices("es") == ["dora"] and general.speaking_voices("fr") == []


def test_the_more_voices_there_are_the_fewer_sentences_each_of_them_reads(tmp_path, voices):
    counts = {}
    for number in (2, 5, 40):
        names = [f"v{place}" for place in range(number)]
        found = terms.term_speech(["xylofen"], tmp_path / str(number), voices=names, tell=lambda line: None)
        counts[number] = len(read_manifest(found.learn))
    assert counts[2] == len(terms.LEARNED), "there are no more sentences than these"
    assert counts[5] == terms.READINGS and counts[40] == terms.FEWEST_READINGS * 39
