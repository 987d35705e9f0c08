from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


from fakes.killing import assert_resumed_equals_uninterrupted
from fakes.processes import assert_two_processes_learn_what_one_learns

from recipes.asr import export, smoke, train
from recipes.asr import model as whisper
from recipes.asr.examples import IGNORED, DataOptions, collate, gather, loops
from recipes.asr.losses import LossOptions, losses
from voice import audio
from voice.asr.whisper.windows import WINDOW_SAMPLES
from voice.errors import ManifestError, ModelError, VoiceError
from voice.models.card import read_card
from voice.types import Audio

CHECKOUT = Path(__file__).parents[3]
TINY = (str(CHECKOUT / "data/tiny/train.jsonl"),)
DEV = (str(CHECKOUT / "data/tiny/dev.jsonl:2"),)


def options(out: Path, **changed) -> train.Options:
    whole = train.Options(manifest=TINY, dev=DEV, out=out, smoke=True, steps=5, threads=1)
    return dataclasses.replace(whole, **changed)


def data_of(chosen: train.Options) -> DataOptions:
    return train.data_options(chosen, train.start_folder(chosen))


def examples_of(chosen: train.Options) -> list:
    base = train.start_folder(chosen)
    return gather(chosen.manifest, data_of(chosen), train.teacher_options(chosen, base))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished smoke run."""
    out = tmp_path_factory.mktemp("run")
    train.main(options(out))
    return out


def test_resumed_equals_uninterrupted(tmp_path):
    def run(out: Path) -> None:
        losses = LossOptions(ctc=0.5)
        train.main(options(out, losses=losses, spec_augment=True, answers=tmp_path / "answers"))

    assert_resumed_equals_uninterrupted(run, tmp_path, saves=3)


def test_two_processes_learn_what_one_learns_and_ask_the_teacher_once_each(tmp_path):
    chosen = options(tmp_path, steps=4, losses=LossOptions(ctc=0.5), spec_augment=True)
    assert_two_processes_learn_what_one_learns("recipes.asr.train", chosen, tmp_path, weights="weights")
    alone, together = (
        {path.name for path in (tmp_path / name / "answers").iterdir()} for name in ("alone", "together")
    )
    assert alone == together


def test_training_reads_shards_like_files(tmp_path):
    from data.shards.writing import MANIFEST, write_shards

    write_shards(Path(TINY[0]), tmp_path / "shards", minutes=0.25)
    sharded = options(tmp_path / "run", manifest=(str(tmp_path / "shards" / MANIFEST),), labels="text")
    train.main(dataclasses.replace(sharded, steps=2, joined=0))
    assert examples_of(dataclasses.replace(sharded, joined=0)).sections.max() >= 2
    assert torch.load(tmp_path / "run" / "last.pt", weights_only=True)["step"] == 2


def test_overfits_one_batch(tmp_path):
    small = train.shrink(options(tmp_path, labels="text", whole=True))
    torch.manual_seed(0)
    data = data_of(small)
    batch = collate(examples_of(small)[:3], np.zeros(3), data)
    model = train.student(train.start_folder(small), small, torch.device("cpu"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    found = []
    for _ in range(80):
        loss = losses(model, batch, data.tokenizer, small.losses)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found[0] > 4 and found[-1] < 0.5


def test_learns_transcripts_in_full_context(tmp_path):
    train.main(options(tmp_path, labels="text", context="full", whole=True, steps=1, joined=0))
    assert torch.load(tmp_path / "last.pt", weights_only=False)["step"] == 1
    assert not (tmp_path / "answers").exists()


def test_a_base_of_128_bands_is_taught_scored_and_exported(tmp_path):
    smoke.base(tmp_path, bands=128)
    chosen = options(tmp_path, losses=LossOptions(ctc=0.5), labels="own", steps=2)
    train.main(chosen)
    batch = collate(examples_of(chosen)[:1], np.zeros(1), data_of(chosen))
    assert batch.features.shape[1] == 128 and batch.hidden.shape[1] == 32
    base, out = str(tmp_path / "base"), tmp_path / "model"
    export.main(export.Options(run=tmp_path, out=out, base=base, whole=True, name="wide", weights="average"))
    assert whisper.mel_bands(out) == 128


def test_a_batch_is_cut_to_its_longest_utterance_and_margin(run):
    data = data_of(options(run))
    some = examples_of(options(run))[:2]
    batch = collate(some, np.array([0.0, 0.5]), data)
    longest = max(len(each.sound()) + extra for each, extra in zip(some, (0, 8000), strict=False))
    assert batch.features.shape == (2, 80, longest // 160)
    counted = batch.targets != IGNORED
    assert batch.hidden.shape == (int(counted.sum()), 32)
    assert batch.inputs.shape[1] == batch.targets.shape[1] + 2
    assert (batch.targets[:, 0] == data.tokenizer.prompt[1]).all()
    full = collate(some, np.zeros(2), dataclasses.replace(data, context="full"))
    assert full.features.shape[-1] == WINDOW_SAMPLES // 160


def test_labels_from_text_need_text(tmp_path):
    manifest = tmp_path / "set.jsonl"
    row = f'{{"audio": "{CHECKOUT}/data/tiny/audio/train_01.opus", "duration": 1.5, "id": "a", "text": null}}'
    manifest.write_text(row)
    with pytest.raises(ManifestError, match="--labels own"):
        examples_of(options(tmp_path, labels="text", manifest=(str(manifest),)))


def test_transcripts_in_capitals_are_not_learned_by_mistake(tmp_path):
    rows = [json.loads(line) for line in Path(TINY[0]).read_text("utf-8").splitlines()]
    for row in rows:
        row |= {"audio": str(CHECKOUT / "data/tiny" / row["audio"]), "text": row["text"].upper().strip(".?!")}
    manifest = tmp_path / "set.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    chosen = options(tmp_path, labels="text", manifest=(str(manifest),))
    with pytest.raises(ManifestError, match="no capitals beside small letters.*recipes.asr.tuning.train"):
        examples_of(chosen)
    assert len(examples_of(dataclasses.replace(chosen, as_written=True))) == len(rows)


def test_the_exported_folder_transcribes(run, tmp_path):
    from voice.loading import load

    chosen = export.Options(run=run, out=tmp_path / "mine", base=str(run / "base"), whole=True, name="mine")
    export.main(chosen)
    recognizer = load(str(tmp_path / "mine"), threads=1)
    sound = audio.read(CHECKOUT / "data/tiny/audio/train_01.opus", 16000)
    assert recognizer.transcribe(Audio(sound.samples, 16000), language="en", words=False).duration > 0.5


def test_the_exported_adapter_and_the_whole_are_the_same_model(run, tmp_path, monkeypatch):
    from voice.models import Card, Entry, catalog, find
    from voice.models.ct2 import read_model

    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "home"))
    tiny = Entry(Card("tiny", "recognizer", "whisper", 16_000, "en", "MIT"), 0, run / "base")
    for module in (catalog, export):
        monkeypatch.setattr(module, "entries", lambda: {"tiny": tiny})
    export.main(export.Options(run=run, out=tmp_path / "part", base="tiny", name="part"))
    export.main(export.Options(run=run, out=tmp_path / "whole", base="tiny", whole=True, name="whole"))
    assert (tmp_path / "part" / "adapter.safetensors").stat().st_size < 50_000
    derived = read_model(find(str(tmp_path / "part")).folder / "model.bin")
    whole = read_model(tmp_path / "whole" / "model.bin")
    for name, tensor in whole.tensors.items():
        assert np.array_equal(tensor, derived.tensors[name]), name


def test_what_started_from_a_folder_is_exported_whole(run, tmp_path):
    with pytest.raises(ModelError, match="--whole"):
        export.main(export.Options(run=run, out=tmp_path / "part", base=str(run / "base"), name="part"))


def test_an_export_that_names_no_folder_stays_in_its_run(run, tmp_path):
    assert export.destination(export.Options(run=tmp_path / "shop")) == (tmp_path / "shop" / "shop", "shop")
    assert export.destination(export.Options(run=tmp_path, name="shop")) == (tmp_path / "shop", "shop")
    assert export.destination(export.Options(run=tmp_path, out=tmp_path / "a")) == (tmp_path / "a", "a")


def test_a_model_is_not_called_like_its_base(run, tmp_path, monkeypatch):
    from voice.models import Card, Entry, catalog

    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "home"))
    tiny = Entry(Card("tiny", "recognizer", "whisper", 16_000, "en", "MIT"), 0, run / "base")
    for module in (catalog, export):
        monkeypatch.setattr(module, "entries", lambda: {"tiny": tiny})
    with pytest.raises(ModelError, match="cannot be called like its base"):
        export.main(export.Options(run=run, out=tmp_path / "part", base="tiny", name="tiny"))
    assert not (tmp_path / "part").exists()


def test_an_export_without_a_run_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match="recipes.asr.train"):
        export.read_weights(tmp_path, "best")


def test_the_card_says_what_the_run_was_and_a_contradiction_is_refused(tmp_path):
    run = tmp_path / "run"
    train.main(options(run, labels="text", context="full", whole=True, steps=1, joined=0))
    chosen = export.Options(run=run, base=str(run / "base"), whole=True, name="mine", out=tmp_path / "mine")
    export.main(chosen)
    card = read_card(tmp_path / "mine")
    assert card.options["context"] == "full" and card.description == "Base tuned to transcripts"
    for contradiction in ({"context": "utterance"}, {"language": "de"}):
        with pytest.raises(VoiceError, match="was trained with --(context full|language en), not with"):
            export.main(dataclasses.replace(chosen, **contradiction))
    with pytest.raises(ModelError, match="--whole"):
        export.main(dataclasses.replace(chosen, whole=False))
    for name in ("config.json", "model.bin"):
        before = (run / "base" / name).read_bytes()
        (run / "base" / name).write_bytes(before + b" ")
        with pytest.raises(ModelError, match="did not start from .* but from another model"):
            export.main(chosen)
        (run / "base" / name).write_bytes(before)
    with pytest.raises(VoiceError, match="begun with --context full, not with --context utterance"):
        train.main(options(run, labels="text", context="utterance", whole=True, steps=1, joined=0))


def test_masks_hide_some_bands_and_frames_of_each_window_alone(tmp_path):
    plain = train.masking(options(tmp_path))
    masked = train.masking(options(tmp_path, spec_augment=True))
    features = torch.randn(2, 80, 400)
    assert plain(features) is features
    torch.manual_seed(1)
    hidden = masked(features) != features
    assert 0 < hidden.float().mean() < 0.4
    assert not torch.equal(hidden[0], hidden[1])
    assert hidden.all(1).sum(1).max() <= 2 * 40 and hidden.all(2).sum(1).max() <= 2 * 8


def test_what_checkpoints_call_a_low_rank_weight_is_what_they_always_called_it(run):
    saved = torch.load(run / "best.pt", weights_only=True)["weights"]
    assert {name.rpartition("/")[2] for name in saved} == {"down", "up"}
    assert "model/encoder/layers/0/self_attn/q_proj/down" in saved
    model = train.student(train.start_folder(options(run)), options(run), torch.device("cpu"))
    assert {train.whisper.parameter_name(name) for name in saved} == {
        name for name, weight in model.named_parameters() if weight.requires_grad
    }


def test_a_loop_is_told_from_speech():
    assert loops("and then and then " * 20)
    assert not loops("The kettle boils at seven, and the bus leaves at eight.")
