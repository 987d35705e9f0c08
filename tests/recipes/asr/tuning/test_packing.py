from __future__ import annotations

from pathlib import Path

import numpy as np

from data.left_out import LeftOut
from recipes.asr.tuning.packing import (
    batch_at,
    batch_number,
    batches_of_equal_length,
    heard_seconds,
    training_windows,
    usable,
)
from recipes.asr.windows import Window
from voice import audio
from voice.manifest import Clip
from voice.types import Audio


class Letters:
    """A tokenizer of single letters."""

    prompt = (0, 1, 2, 3)

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]


def clip(name: str, seconds: float = 3.0, speaker: str | None = "a", text: str | None = "hello") -> Clip:
    return Clip(Path(f"{name}.wav"), text, seconds, speaker, name, 16_000, "en")


def test_every_clip_is_heard_and_those_of_a_speaker_share_windows():
    clips = [clip(f"{speaker}{number}", 4.0, speaker) for speaker in "ab" for number in range(9)]
    for context in ("utterance", "full"):
        windows = training_windows(clips, context, seed=0)
        assert {index for window in windows for index in window.clips} == set(range(18))
        packed = [window for window in windows if len(window.clips) > 1]
        assert packed and all(len({clips[i].speaker for i in window.clips}) == 1 for window in packed)
        assert all(window.duration <= (11.0 if context == "utterance" else 29.0) for window in windows)
        alone = {window.clips[0] for window in windows if len(window.clips) == 1}
        assert len(alone) == 18 if context == "utterance" else 0 < len(alone) < 18


def test_a_window_is_as_long_as_the_encoder_sees_it():
    assert heard_seconds(Window((0,), (), 2.0), "utterance") == 2.5
    assert heard_seconds(Window((0,), (), 2.21), "utterance") == 3.0
    assert heard_seconds(Window((0,), (), 29.9), "utterance") == 30.0
    assert heard_seconds(Window((0,), (), 2.0), "full") == 30.0


def test_a_batch_is_bounded_by_what_is_padded():
    lengths = [30.0] * 5 + [2.5] * 40
    batches = batches_of_equal_length(lengths, 60.0, seed=0, epoch=0)
    assert sorted(index for batch in batches for index in batch) == list(range(45))
    for batch in batches:
        assert len({lengths[index] for index in batch}) == 1
        assert sum(lengths[index] for index in batch) <= 60
    assert batches_of_equal_length([30.0], 12.0, seed=0, epoch=0) == [[0]], "one is always taken"


def test_a_step_alone_tells_its_batch_and_epochs_differ():
    lengths = [2.0] * 30
    first = [batch_at(step, lengths, 10.0, seed=3) for step in range(6)]
    second = [batch_at(step, lengths, 10.0, seed=3) for step in range(6, 12)]
    for epoch in (first, second):
        assert sorted(index for batch in epoch for index in batch) == list(range(30))
    assert first != second and batch_at(4, lengths, 10.0, seed=3) == first[4]


def test_of_old_speech_no_more_is_heard_than_its_share_however_long_its_windows():
    taken = [batch_number(step, 12.0, 30.0) for step in range(10)]
    assert [number for number in taken if number is not None] == [0, 1, 2, 3], "12 of 30 s: two steps in five"
    assert [batch_number(step, 45.0, 11.5) for step in range(3)] == [0, 1, 2]
    assert batch_number(0, 12.0, 0.0) is None and batch_number(0, 0.0, 30.0) is None, "there is none"


def test_what_cannot_be_learned_is_told_and_the_rest_goes_on(tmp_path):
    rng = np.random.default_rng(0)
    audio.write(tmp_path / "good.wav", Audio(0.1 * rng.standard_normal(16_000).astype(np.float32), 16_000))
    audio.write(tmp_path / "silent.wav", Audio(np.zeros(16_000, np.float32), 16_000))
    (tmp_path / "broken.wav").write_bytes(b"RIFF nonsense")

    def at(name: str, **changed) -> Clip:
        given = {"text": "hello", "seconds": 1.0} | changed
        return Clip(
            tmp_path / f"{name}.wav",
            given["text"],
            given["seconds"],
            "a",
            changed.get("id", name),
            16_000,
            "en",
        )

    clips = [
        at("good"),
        at("silent"),
        at("broken"),
        at("missing"),
        at("good", id="long", seconds=7200.0),
        at("good", id="untold", text=None),
        at("good", id="wordy", text="word " * 400),
        at("good", id="loop", text="row, row, row your boat " * 3),
    ]
    left_out = LeftOut(len(clips))
    sounds = usable(clips, Letters(), left_out)
    assert [each.id for each in sounds.clips] == ["good", "loop"], "texts that repeat themselves are learned"
    told = str(left_out)
    assert (
        len(left_out) == 6 and "that are silent (silent)" in told and "hears at once: cut them (long)" in told
    )
    assert "without a transcript (untold)" in told and "room for: cut them (wordy)" in told
    assert "2 that cannot be opened (broken, missing)" in told
