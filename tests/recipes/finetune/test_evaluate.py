"""How well a voice is understood, with a recognizer that is made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from fakes.cli import Hummer

from recipes.finetune import evaluate
from voice.errors import VoiceError
from voice.manifest import read_manifest, write_manifest
from voice.types import Segment, Transcript

TINY = Path(__file__).parents[3] / "data/tiny/train.jsonl"


def test_a_voice_is_scored_by_what_a_recognizer_understands(tmp_path, monkeypatch, capsys):
    manifest = tmp_path / "my" / "test.jsonl"
    write_manifest(manifest, read_manifest(TINY)[:2])
    heard = iter(["Good morning.", "Can you see me?"])

    def transcribe(audio, *, model, language):
        return Transcript((Segment(next(heard), 0.0, 1.0),), language, audio.duration)

    monkeypatch.setattr(evaluate, "load_voice", lambda name, threads: Hummer())
    monkeypatch.setattr(evaluate, "transcribe", transcribe)
    table = tmp_path / "table.json"
    evaluate.main(evaluate.EvaluateOptions(voice=("mine",), manifest=(str(manifest),), json=table))
    (row,) = json.loads(table.read_text())
    assert (row["voice"], row["clips"], row["words"]) == ("mine", 2, 6)
    assert row["rate"] == pytest.approx(1 / 6) and "16.7 %" in capsys.readouterr().out


def test_it_says_what_it_wants():
    with pytest.raises(VoiceError, match="name what to score"):
        evaluate.main(evaluate.EvaluateOptions(voice=("mine",)))
