"""Recordings of any rate, in files or in shards; memory that does not grow with them."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fakes.rates import write_corpus

from data.shards.writing import MANIFEST, write_shards
from recipes.reporting.scalars import read_curves
from recipes.tts import corpus, export, prepare, train, train_prosody
from recipes.tts.corpus import Utterance
from recipes.tts.pieces import Collection, Errors
from recipes.tts.preparation import recordings
from voice.loading import load_voice


def test_a_voice_of_16_khz_is_trained_from_nothing_told_of_its_missing_treble_and_speaks(tmp_path, capsys):
    manifest = write_corpus(tmp_path / "low", 16_000)
    prepare.main(prepare.Options(manifest=(str(manifest),), out=tmp_path))
    assert "4 of 4 recordings are sampled below 24000 Hz" in capsys.readouterr().out
    features, sounds, prosody = tmp_path / "low-train.npz", tmp_path / "sounds", tmp_path / "prosody"
    train.main(
        train.Options(
            (features,),
            (features,),
            (manifest,),
            cold=True,
            small=True,
            out=sounds,
            steps=12,
            save_every=4,
            batch=4,
            seconds=0.3,
            rate=5e-3,
            dev_clips=2,
        )  # fmt: skip
    )
    curves = read_curves(sounds)
    assert all(curves[name][-1][1] < curves[name][0][1] for name in curves if name.startswith("dev/"))
    train_prosody.main(
        train_prosody.Options(
            (features,), (features,), out=prosody, small=True, steps=4, save_every=2, batch_tokens=200
        )
    )
    run = export.load_run(sounds, prosody)
    consent = "Heart, 2026-12-01: I agree that a synthetic voice is made of my recordings"
    folder = export.export(
        run,
        export.Options(sounds, prosody, ("heart",), tmp_path / "mine", weights="float16", consent=consent),
    )
    (speech,) = load_voice(str(folder), threads=1).speak("Good morning.")
    assert speech.audio.rate == 24_000 and np.abs(speech.audio.samples).max() > 0


def test_recordings_in_shards_are_the_recordings_in_files(tmp_path):
    manifest = write_corpus(tmp_path / "wide", 44_100)
    utterances = [
        Utterance(
            f"tiny-train_0{n}",
            "ann",
            np.zeros(2, np.int16),
            np.array([20, 20]),
            np.full(40, 200.0),
            np.zeros(40),
        )
        for n in (1, 2, 3)
    ]
    write_shards(manifest, tmp_path / "shards", minutes=0.03)
    found = []
    for name, source in (("files", manifest), ("shards", tmp_path / "shards" / MANIFEST)):
        corpus.write(tmp_path / f"{name}.npz", utterances)
        found.append(recordings.load([tmp_path / f"{name}.npz"], [source]))
    assert len(list((tmp_path / "shards").glob("*.tar"))) > 1
    for one, other in zip(*found, strict=True):
        assert one.samples.any()
        np.testing.assert_array_equal(one.samples, other.samples)


def test_memory_does_not_grow_with_what_is_said(tmp_path):
    count, frames = 4_000, 50
    path, kept = tmp_path / "many.npz", tmp_path / "many.samples.npy"
    corpus.write_arrays(
        path,
        {
            "ids": np.arange(count).astype("U12"),
            "speakers": np.repeat([f"speaker-{n}" for n in range(20)], count // 20),
            "lengths": np.full((count, 2), (5, frames)),
            "tokens": np.zeros(5 * count, np.int16),
            "durations": np.full(5 * count, frames // 5, np.int16),
            "f0": np.full(count * frames, 150.0, np.float32),
            "loud": np.zeros(count * frames, np.float32),
        },
    )
    np.lib.format.open_memmap(
        kept, "w+", np.int16, (count * frames * 300,)
    )  # not written, so not on the disk
    os.utime(kept, (path.stat().st_mtime + 1,) * 2)
    tracemalloc.start()
    spoken = recordings.load([path], [])
    collection = Collection(spoken, spoken.utterances.names)
    for number in range(3):
        collection.pieces(0, number, 2, 20, Errors())
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(spoken) == count and held < 100 * count  # bytes; a list of utterances takes ten times as much
