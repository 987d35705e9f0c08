"""What a training of recognizers leaves out, and that it says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from recipes.asr import train
from recipes.asr.examples import Examples, collate, gather
from voice.errors import ManifestError
from voice.manifest import read_manifest, write_manifest

TINY = Path(__file__).parents[3] / "data" / "tiny" / "train.jsonl"


def broken_manifest(folder: Path, *, broken: int = 1) -> str:
    """The clips of data/tiny, one of them too long, one without and one with much text, some of no sound."""
    clips = read_manifest(TINY)
    (folder / "broken.wav").write_text("no sound")
    clips[0] = dataclasses.replace(clips[0], id="long", duration=7200.0)
    clips[1] = dataclasses.replace(clips[1], id="untold", text=None)
    clips[2] = dataclasses.replace(clips[2], id="endless", text="word " * 1200)
    for number in range(3, 3 + broken):
        clips[number] = dataclasses.replace(clips[number], id=f"broken-{number}", audio=folder / "broken.wav")
    write_manifest(folder / "all.jsonl", clips)
    return str(folder / "all.jsonl")


def gathered(folder: Path, manifest: str, labels: str) -> tuple[Examples, train.DataOptions]:
    options = train.Options(manifest=(manifest,), out=folder / "run", smoke=True, labels=labels, threads=1)
    base = train.start_folder(options)
    data = train.data_options(options, base)
    return gather(options.manifest, data, train.teacher_options(options, base)), data


def collate_each(examples: Examples, data: train.DataOptions) -> None:
    for first in range(0, len(examples), 4):
        some = examples[first : first + 4]
        collate(some, np.zeros(len(some)), data)


@pytest.mark.filterwarnings("ignore:.*left out")
def test_what_is_left_out_of_transcripts_is_counted_by_reason(tmp_path, capsys):
    examples, data = gathered(tmp_path, broken_manifest(tmp_path), "text")
    told = "left out 2 of 20 rows: 1 longer than 30 s (long); 1 without a transcript (untold)"
    assert told in capsys.readouterr().out and len(examples) == 18
    collate_each(examples, data)
    collate_each(examples, data)
    assert str(examples.sounds.left_out).endswith(
        "1 with a longer text than the decoder takes (endless); 1 cannot be opened (broken-3)"
    )
    batch = collate(examples[0:3], np.zeros(3), data)
    assert len(batch.features) == 1  # the others are the endless text and the broken recording
    assert len(examples.readable()) == 17


@pytest.mark.filterwarnings("ignore:.*left out")
def test_a_teacher_is_not_asked_about_what_cannot_be_opened(tmp_path, capsys):
    examples, data = gathered(tmp_path, broken_manifest(tmp_path), "own")
    assert len(examples) == 18 and "1 cannot be opened (broken-3)" in capsys.readouterr().out
    collate_each(examples, data)


@pytest.mark.filterwarnings("ignore:.*left out")
def test_more_than_a_tenth_that_cannot_be_opened_ends_the_training(tmp_path):
    examples, data = gathered(tmp_path, broken_manifest(tmp_path, broken=3), "text")
    with pytest.raises(ManifestError, match="3 of 20 recordings cannot be opened, such as broken-"):
        collate_each(examples, data)
