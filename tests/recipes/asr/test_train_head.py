"""The head's recipe: encodes once, into files; resumes exactly; several processes learn what one learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnxscript")

from fakes.killing import assert_resumed_equals_uninterrupted
from fakes.processes import assert_two_processes_learn_what_one_learns

from recipes.asr import encoded, train_head
from recipes.asr.head import saved_head
from voice.asr.ctc.alphabet import FRAME

TINY = Path(__file__).parents[3] / "data" / "tiny"


def options(out: Path, **changed) -> train_head.Options:
    manifests = {"manifest": (f"{TINY}/train.jsonl:6",), "dev": (f"{TINY}/dev.jsonl:2",)}
    return train_head.Options(
        out=out, smoke=True, steps=6, threads=1, batch_seconds=20, **manifests, **changed
    )


def test_resumed_equals_uninterrupted_and_the_head_is_exported(tmp_path):
    assert_resumed_equals_uninterrupted(lambda out: train_head.main(options(out)), tmp_path, saves=2)
    assert saved_head(tmp_path / "whole").shape["inputs"] == 32
    assert (tmp_path / "whole" / "head.onnx").exists() and (tmp_path / "whole" / "best.pt").exists()


def test_two_processes_learn_what_one_learns(tmp_path):
    chosen = options(tmp_path, joined=2)
    assert_two_processes_learn_what_one_learns("recipes.asr.train_head", chosen, tmp_path, weights="head")


def test_windows_are_encoded_once_and_read_from_the_file(tmp_path, monkeypatch):
    train_head.main(options(tmp_path, joined=1))
    files = sorted(tmp_path.glob("encoded-*.npz"))
    assert len(files) == 2
    monkeypatch.setattr(train_head, "write_examples", None)
    train_head.main(replace(options(tmp_path, joined=1), fresh=True, steps=2))
    train, dev = sorted(map(encoded.EncodedExamples, files), key=len, reverse=True)
    assert (len(train), len(dev)) == (7, 2)
    first = train[0]
    assert isinstance(first.encoded, np.memmap) and first.encoded.shape[1] == train.width == 32
    assert train.durations[0] == pytest.approx(len(first.encoded) * FRAME)
    assert first.text and len(first.labels) and first.corpus == "tiny"
    assert train[-1].text.count(" ") > first.text.count(" ")  # of several clips
    assert len(list(train)) == 7
