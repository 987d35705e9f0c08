"""Scores on a card are measured again: of a small vocoder with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("pesq")

from recipes import reproduce
from recipes.evaluations import Evaluation
from recipes.vocoder import copies, evaluate, model
from recipes.vocoder.export import export
from recipes.vocoder.scores import on_card
from voice.errors import VoiceError
from voice.features import VOICE_RATE
from voice.manifest import read_manifest, write_manifest
from voice.models.card import Card, hashes, read_card, write_card
from voice.tts.vocoder import FILE, Vocoder

TINY = Path(__file__).parents[2] / "data/tiny/dev.jsonl"


@pytest.fixture(scope="module")
def vocoder(tmp_path_factory) -> Path:
    """A model folder with a manifest of two clips beside it; its card has scores that were measured."""
    torch.manual_seed(0)
    home = tmp_path_factory.mktemp("vocoder")
    folder, clips = home / "mine", read_manifest(TINY)[:2]
    write_manifest(home / "test.jsonl", clips)
    export(model.Generator(model.SIZES["tiny"]), folder, "float32")
    opened = Vocoder.open(folder)
    scores = copies.means([copies.score(clip, "mine", opened) for clip in clips], "mine")
    how = Evaluation.on("recipes.vocoder.copies", {"own test": home / "test.jsonl"}, {"clips": 40})
    about = ("vocoder", "source-filter", VOICE_RATE, "any", "MIT")
    files = hashes(folder, [FILE])
    write_card(folder, Card("mine", *about, files=files, scores=scores, evaluation=how.table()))
    return folder


def asked(folder: Path) -> reproduce.Options:
    return reproduce.Options(model=str(folder), among=(folder.parent,))


def changed(folder: Path, out: Path, **fields) -> Path:
    """A copy of a model folder with another card."""
    out.mkdir()
    (out / FILE).write_bytes((folder / FILE).read_bytes())
    write_card(out, replace(read_card(folder), **fields))
    return out


def test_the_scores_of_the_card_come_out_again(vocoder, capsys):
    reproduce.main(asked(vocoder))
    scores = read_card(vocoder).scores
    assert "own test STOI" in scores
    said = capsys.readouterr().out
    assert all(name in said for name in scores) and "differs" not in said
    assert f"{len(scores)} of {len(scores)} scores are as on the card" in said


def test_a_table_of_the_recipe_is_reproduced_as_well(vocoder, tmp_path):
    manifest = vocoder.parent / "test.jsonl"
    row = evaluate.score(("my test", "mine"), evaluate.our_own(vocoder), evaluate.recordings(manifest, None))
    how = Evaluation.on("recipes.vocoder.evaluate", {"my test": manifest}, {"clips": 2}).table()
    other = changed(vocoder, tmp_path / "other", scores=on_card(vars(row)), evaluation=how)
    found = list(reproduce.reproduce(reproduce.Options(model=str(other), among=(manifest,))))
    assert {each.name for each in found} == {"PESQ-WB, my test", "STOI, my test"}
    assert all(each.card == pytest.approx(each.now, nan_ok=True) for each in found)


def test_a_score_that_does_not_come_out_again_is_told_by_the_exit_status(vocoder, tmp_path, capsys):
    other = changed(vocoder, tmp_path / "other", scores={"own test STOI": 0.999, "speed": 3})
    with pytest.raises(SystemExit) as ended:
        reproduce.main(replace(asked(other), among=(vocoder.parent,)))
    said = capsys.readouterr().out
    assert ended.value.code == 1 and "differs" in said and "0 of 1 scores are as on the card" in said
    assert any(line.startswith("speed") and "not measured again" in line for line in said.splitlines())


def test_a_set_that_is_not_here_is_named(vocoder, tmp_path, capsys):
    with pytest.raises(SystemExit):
        reproduce.main(replace(asked(vocoder), among=(tmp_path,)))
    assert "own test: the set is not here as it was; say with --among" in capsys.readouterr().err


def test_a_card_of_a_stranger_runs_nothing_else(vocoder, tmp_path):
    how = {**read_card(vocoder).evaluation, "by": "os"}
    with pytest.raises(VoiceError, match="'os' evaluates nothing here"):
        next(iter(reproduce.reproduce(asked(changed(vocoder, tmp_path / "evil", evaluation=how)))))


def test_every_evaluator_is_there():
    assert all(callable(reproduce.evaluator(name)) for name in reproduce.EVALUATORS)
