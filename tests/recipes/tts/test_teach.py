"""Teachers: what they say is varied and follows from the seed; their manifests grow where they stopped."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recipes.tts import align, prepare, teach, teachers, texts
from recipes.tts.teachers import Taught
from voice.errors import ModelMissing
from voice.manifest import read_manifest
from voice.text.alphabet import BOUNDARY
from voice.tts.engine import Utterance
from voice.tts.kokoro import engine


def beeper(phonemes):
    """A teacher that beeps four frames a phoneme, between long silences."""
    durations = np.array([30, *[4] * len(phonemes), 40])
    samples = np.zeros(int(durations.sum()) * 300, np.float32)
    first = 30 * 300
    samples[first : first + 1200 * len(phonemes)] = 0.3 * np.sin(np.arange(1200 * len(phonemes)) * 0.05)
    return Taught(samples, durations)


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setattr(teach, "teacher", lambda name: beeper)
    return teach.Options(speaker="beeper", minutes=0.3, out=tmp_path, manifest=())


def rows(folder):
    return [clip for name in ("train", "dev") for clip in _clips(folder / "beeper" / f"{name}.jsonl")]


def _clips(path):
    return read_manifest(path) if path.exists() else []


def test_sentences_ask_exclaim_and_list_and_are_the_same_every_time():
    some = list(islice(texts.invent_sentences(), 200))
    assert some == list(islice(texts.invent_sentences(), 200))
    assert sum(text.endswith("?") for text in some) > 40 and sum("!" in text for text in some) > 30
    assert not any("{" in text or "}" in text for text in some)


def test_a_teacher_goes_on_where_it_stopped(options):
    teach.main(options)
    before = rows(options.out)
    teach.main(replace(options, minutes=0.6))
    after = rows(options.out)
    assert sum(clip.duration for clip in after) >= 0.6 * 60 > sum(clip.duration for clip in before)
    assert [clip.id for clip in after][: len(before)] == [clip.id for clip in before]
    assert len({clip.id for clip in after}) == len(after)


def test_what_is_written_is_as_long_as_its_phonemes_without_long_silences(options):
    teach.main(options)
    for clip in rows(options.out):
        durations = np.array(clip.extra["durations"])
        assert clip.duration == pytest.approx(durations.sum() * 300 / 24000)
        assert durations[0] == durations[-1] == teach.EDGE
        assert len(durations) == len(clip.extra["phonemes"]) + 2


def test_a_teachers_durations_are_taken_as_they_are(options):
    teach.main(options)
    clip = rows(options.out)[0]
    made = prepare.guess(clip, None).utterance
    phonemes = BOUNDARY + clip.extra["phonemes"] + BOUNDARY
    expected = align.spread(phonemes, align.unit_frames(phonemes, np.array(clip.extra["durations"])))
    np.testing.assert_array_equal(made.durations, expected)
    assert len(made.loud) == len(made.f0) == expected.sum()


def test_what_a_teacher_says_is_as_long_as_its_durations_say(monkeypatch):
    made = Utterance(np.ones(1000, np.float32), np.array([2, 1, 2]), np.zeros(5))
    monkeypatch.setattr(
        teachers.Heart, "open", lambda: SimpleNamespace(render_phonemes=lambda phonemes: made)
    )
    assert len(teachers.teacher("heart")("a").samples) == 5 * 300


def test_an_unknown_teacher_is_refused(monkeypatch):
    monkeypatch.setattr(teachers, "find", lambda name: SimpleNamespace(folder=Path("kokoro")))
    monkeypatch.setattr(engine, "open_graphs", lambda folder, threads: None)
    with pytest.raises(ModelMissing, match="Kokoro has no voice 'am_eve'"):
        teachers.teacher("am_eve")
