"""The voices' table: what is measured of a sentence, whose voice it is, and who speaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("librosa", reason="recipes are not installed; pip install '.[train]'")

from recipes.tts import evaluate, picture, scores, systems
from recipes.tts.evaluate import COLUMNS, RECORDINGS, Options, open_systems, owned_voices, row
from recipes.tts.judging import Item, Judge, items_of
from recipes.tts.systems import PROGRAMS, Made, NotInstalled, System
from voice import audio
from voice.errors import TextError
from voice.types import Audio

TINY = Path(__file__).resolve().parents[3] / "data" / "tiny" / "audio"


def tone(hertz, seconds=1.0, silence=0.0):
    time = np.arange(round(24000 * seconds)) / 24000
    buzz = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 20))
    return Audio(np.pad(0.1 * buzz, round(24000 * silence)).astype(np.float32), 24000)


def glide(low, high, seconds=1.0):
    hertz = np.linspace(low, high, round(24000 * seconds))
    angle = 2 * np.pi * np.cumsum(hertz) / 24000
    return Audio((0.1 * sum(np.sin(k * angle) / k for k in range(1, 20))).astype(np.float32), 24000)


def two_clips():
    return [audio.read(path) for path in sorted(p for p in TINY.rglob("*") if p.is_file())[:2]]


def test_speech_is_no_distance_from_itself_and_some_from_other_speech():
    first, second = two_clips()
    same = scores.likeness(first, first)
    assert same.distortion == pytest.approx(0, abs=1e-4) and same.duration == 0
    assert scores.melody_error([same]) == 0 and scores.melody_correlation([same]) == pytest.approx(1)
    louder = Audio(first.samples * 0.5, first.rate)
    assert scores.distortion(first, louder) < 0.5 < 3 < scores.distortion(first, second)


def test_melody_is_compared_whatever_the_height_of_the_voice():
    rising = scores.likeness(glide(150, 200), glide(100, 133.3))
    falling = scores.likeness(glide(150, 200), glide(133.3, 100))
    assert scores.melody_error([rising]) < 60 < 150 < scores.melody_error([falling])
    assert scores.melody_correlation([rising]) > 0.9 > 0 > scores.melody_correlation([falling])


def test_silence_around_a_sentence_does_not_make_it_longer():
    padded = tone(150, 1.2, silence=0.5)
    assert scores.likeness(tone(150, 1.0), padded).duration == pytest.approx(0.2, abs=0.03)


def test_pitch_spread_is_that_of_the_logarithm():
    low, high = (scores.log_f0(tone(hertz)) for hertz in (150, 200))
    assert scores.pitch_spread([low, high]) == pytest.approx(np.log(200 / 150) / 2, rel=0.05)
    assert np.isnan(scores.pitch_spread([]))


def test_a_recording_is_not_held_against_itself():
    one, other = np.eye(2)
    assert scores.similarities([one, other], [one, other]) == [0, 0]
    assert scores.similarities([one], [one]) == [1]
    assert scores.similarity(one, [one, other]) == pytest.approx(0.5**0.5)


def test_a_voice_is_held_against_whom_it_is_meant_to_sound_like(tmp_path, capsys, monkeypatch):
    pytest.importorskip("resemblyzer", reason="pip install '.[scores]'")
    monkeypatch.setattr(evaluate, "OWN", 2)
    manifest = TINY.parent / "train.jsonl"
    options = Options(system=("ann", "bob"), own=(f"ann={manifest}", f"bob={tmp_path}/none", "eve=nobody"))
    owned = owned_voices(options)
    assert list(owned) == ["ann"] and all(vector.shape == (256,) for vector in owned["ann"])
    told = capsys.readouterr().err
    assert "bob" in told and "eve" not in told


def test_voices_are_told_apart():
    pytest.importorskip("resemblyzer", reason="pip install '.[scores]'")
    first, second = two_clips()
    half = len(first.samples) // 2
    parts = [Audio(first.samples[:half], first.rate), Audio(0.1 * first.samples[half:], first.rate)]
    vectors = [scores.embedding(sound) for sound in parts]
    assert vectors[0] @ vectors[1] > 0.6 and np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-3)


def make_judge(texts=("so do we and", "so dough")):
    """Two recognizers that always hear the same, and a listener who always likes it."""
    return Judge([lambda sound, text=text: text for text in texts], lambda samples: 4.5)


def test_a_row_says_what_was_heard_and_how_long_it_took():
    listen = make_judge()
    items = [Item("So do we, Ann.", tone(200)), Item("So do we and.", tone(150))]
    found = [listen(item, Made(tone(180, 2.0), 0.5, 0.1)) for item in items]
    made = row(("test", "buzz"), found, [], (), 120.0, 9.0)
    assert (made.sentences, made.words, made.rate, made.second_rate) == (2, 8, 1 / 8, 6 / 8)
    assert made.mos == 4.5 and made.similarity is None and made.distortion > 0
    assert made.duration_error == pytest.approx(1.0, abs=0.05)
    assert (made.real_time, made.first, made.memory, made.size) == (0.25, 0.1, 120.0, 9.0)
    real = [listen(item, Made(item.recording, 0.0, 0.0)) for item in items]
    made = row(("test", RECORDINGS), real, [])
    assert made.distortion is None and made.real_time is None and made.memory is None
    assert all(isinstance(cell(made), str) for cell in COLUMNS.values())
    alone = row(("test", "buzz"), [replace(one, second=None, mos=None) for one in found], [])
    assert alone.second_rate is None and alone.mos is None


def test_sentences_are_spread_evenly(tmp_path):
    (tmp_path / "some.txt").write_text("One.\n\nTwo.\nThree.\nFour.\nFive.\n", "utf-8")
    assert [item.text for item in items_of(tmp_path / "some.txt", 3)] == ["One.", "Three.", "Five."]
    with pytest.raises(TextError, match="sentence a line"):
        items_of(tmp_path / "none.txt", None)


def test_a_program_that_is_not_here_is_named_with_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in PROGRAMS:
        with pytest.raises(NotInstalled, match="install"):
            System(name, tmp_path)
    assert open_systems(Options(system=(RECORDINGS, *PROGRAMS), peers=tmp_path)) == {}
    told = capsys.readouterr().err
    assert "pip install piper-tts" in told and "apt-get install flite" in told


def test_a_voice_speaks_in_a_process_of_its_own():
    system = System("kathleen", Path("none"))
    try:
        first, second = (system.say("Good morning.") for _ in range(2))
    finally:
        system.close()
    np.testing.assert_array_equal(first.sound.samples, second.sound.samples)
    assert 0.5 < first.sound.duration < 2 and first.seconds > 0 and first.first > 0
    assert system.memory > 50 and systems.size("kathleen", Path("none")) > 5


def test_all_our_voices_are_in_the_table():
    assert {"kathleen", "heart"} <= set(systems.ours()) and systems.ours()[-1] == "heart"


def test_a_picture_shows_recordings_beside_voices(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="pip install '.[train]'")
    manifest, out = TINY.parent / "train.jsonl", tmp_path / "voices.png"
    picture.main(picture.Options(manifest=(manifest,), voice=("heart",), seconds=1.0, out=out))
    assert out.read_bytes().startswith(b"\x89PNG") and 5_000 < out.stat().st_size < 300_000
    with pytest.raises(SystemExit, match="fewer seconds"):
        picture.main(picture.Options(manifest=(manifest,), voice=(), seconds=1000.0, out=out))
