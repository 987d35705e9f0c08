"""The voice recipe: it learns, resumes exactly, keeps every frame, and its export is the same model."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parent))

from killing import assert_resume_equals_uninterrupted  # noqa: E402

from recipes.tts import corpus, export  # noqa: E402
from recipes.tts.corpus import Utterance  # noqa: E402
from recipes.tts.model import AcousticModel, Shape, losses, total  # noqa: E402
from recipes.tts.train import Recipe  # noqa: E402
from voice.errors import ModelMissing, VoiceError  # noqa: E402
from voice.models.card import read_card  # noqa: E402
from voice.tts.acoustic import BOUNDARY, SYMBOLS, Acoustic, Manner, frame_features, steady  # noqa: E402
from voice.tts.graphs import open_graph  # noqa: E402

SHAPE = Shape(speakers=("ann", "bob"), width=32, encoder=1, predictor=1, decoder=2)
CPU = torch.device("cpu")
PHONEMES = BOUNDARY + "sˈO dˌu wˈi, ˈæn." + BOUNDARY


def utterance(seed=0, speaker="ann"):
    """An invented one: each symbol has a spectrum of its own, vowels are voiced."""
    rng = np.random.default_rng(seed)
    tokens = corpus.tokens_of(PHONEMES)
    durations = np.where(np.isin(list(PHONEMES), list(" ˈˌ.")), 0, rng.integers(2, 8, len(tokens)))
    per_frame = np.repeat(tokens, durations)
    spectra = np.random.default_rng(5).normal(-5, 2, (len(SYMBOLS), 100))
    f0 = np.where(per_frame > 13, 180 + 20 * np.sin(np.arange(len(per_frame)) / 9), 0)
    mel = spectra[per_frame] + rng.normal(0, 0.1, (len(per_frame), 100))
    f0, mel = f0.astype(np.float32), mel.astype(np.float16)
    return Utterance(f"{speaker}-{seed}", speaker, tokens, durations, f0, mel)


def some(count=4):
    return [utterance(seed, ("ann", "bob")[seed % 2]) for seed in range(count)]


def test_features_written_are_features_read(tmp_path):
    corpus.write(tmp_path / "some.npz", some(3))
    for made, kept in zip(some(3), corpus.read(tmp_path / "some.npz"), strict=True):
        assert (made.id, made.speaker) == (kept.id, kept.speaker)
        for name in ("tokens", "durations", "f0", "mel"):
            np.testing.assert_array_equal(getattr(made, name), getattr(kept, name))


def test_every_frame_belongs_to_the_token_that_was_aligned_with_it():
    one = utterance()
    made = corpus.example(one, corpus.ranges([one])["ann"])
    assert len(made.index) == len(one.f0) == len(made.mel) == one.durations.sum()
    np.testing.assert_array_equal(np.bincount(made.index, minlength=len(one.tokens)), one.durations)


def test_padding_changes_nothing():
    two = [utterance(0), utterance(1, "bob")]
    recipe = Recipe(SHAPE, corpus.ranges(two))
    torch.manual_seed(0)
    model = AcousticModel(SHAPE).eval()
    with torch.no_grad():
        together = model(recipe.batch(two, CPU))
        for row, alone in enumerate(two):
            single = model(recipe.batch([alone], CPU))
            frames = len(alone.f0)
            assert torch.allclose(together.mel[row, :frames], single.mel[0], atol=1e-4)


def test_overfits_one_batch():
    utterances = some()
    recipe = Recipe(SHAPE, corpus.ranges(utterances))
    torch.manual_seed(0)
    model = AcousticModel(replace(SHAPE, dropout=0.0))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    batch, seen = recipe.batch(utterances, CPU), []
    for _ in range(60):
        loss = total(losses(model(batch), batch, torch.tensor(2.0)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.25 * seen[0]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model with random weights, and the voice that its graphs make."""
    torch.manual_seed(1)
    model, folder = AcousticModel(SHAPE).eval(), tmp_path_factory.mktemp("voice")
    export.write_graphs(model, folder, weights="float32")
    graphs = (open_graph(folder / name) for name in (export.TEXT_FILE, export.FRAMES_FILE))
    return model, Acoustic(*graphs, lambda mel, f0: np.zeros(len(f0) * 300, np.float32), 1, Manner(5.0, 0.2))


@pytest.mark.parametrize("symbols", [BOUNDARY * 2, PHONEMES, BOUNDARY + "sˈO " * 90 + BOUNDARY])
def test_the_exported_graphs_equal_the_trained_model(exported, symbols):
    model, voice = exported
    durations, mel, f0 = voice.draw(symbols)
    with torch.no_grad():
        tokens = torch.from_numpy(corpus.tokens_of(symbols).astype(np.int64))[None]
        said = model.sentence(tokens, torch.tensor([1]), torch.ones(1, len(symbols), 1))
        index, features = frame_features(durations, said.pitch[0].numpy(), said.energy[0].numpy())
        frames = torch.ones(1, len(index), 1)
        drawn = model.frames(said.hidden[:, index], torch.from_numpy(features)[None], frames)
    np.testing.assert_allclose(mel, drawn.mel[0].T.numpy(), atol=1e-4)
    hertz = np.exp(drawn.curve[0].numpy() * 0.2 + 5.0)
    np.testing.assert_allclose(f0, np.where(steady(drawn.voicing[0].numpy()) > 0, hertz, 0), rtol=1e-4)


def test_voices_of_one_model_share_its_graphs(tmp_path, monkeypatch):
    """Two cards, one of them with the files; each speaks as its own speaker."""
    listed = "[ann]\nspeaker = 'ann'\ngain = 1.0\n{0}[bob]\nspeaker = 'bob'\ngain = 2.0\n{0}"
    (tmp_path / "voices.toml").write_text(listed.format("liveliness = 1.0\nlicense = 'MIT'\ndescription = ''\norigin = ''\n"))
    monkeypatch.setattr(export, "write_vocoder", lambda source, folder, *_: (folder / "vocoder.onnx").touch())
    recipe = Recipe(SHAPE, corpus.ranges(some()))
    options = export.Options(voices=tmp_path / "voices.toml", out=tmp_path, weights="float32")
    export.export_all(export.Run(AcousticModel(SHAPE).eval(), recipe, 1), options)
    own, shared = (read_card(tmp_path / name) for name in ("ann", "bob"))
    assert [own.options["speaker"], shared.options["speaker"]] == ["ann", "bob"]
    assert shared.options["speakers"]["bob"]["gain"] == 2.0
    assert sorted(path.name for path in (tmp_path / "bob").iterdir()) == ["model.toml"]
    assert all((tmp_path / "bob" / name).is_file() for name in shared.files)


def test_eight_bits_change_little_and_a_frame_is_the_same_whatever_is_beside_it(tmp_path):
    torch.manual_seed(2)
    model = AcousticModel(SHAPE).eval()
    for weights in ("float32", "int8"):
        (tmp_path / weights).mkdir()
        export.write_graphs(model, tmp_path / weights, weights)
    given = export.examples(model, 1)[0][0]
    small, plain = (open_graph(tmp_path / name / export.FRAMES_FILE) for name in ("int8", "float32"))
    whole = small.run(None, given)[0]
    np.testing.assert_allclose(whole, plain.run(None, given)[0], atol=0.1)
    part = small.run(None, {name: values[:, 20:] for name, values in given.items()})[0]
    np.testing.assert_array_equal(part[:, 20:], whole[:, 40:])


def test_only_the_speakers_that_are_asked_for_are_kept():
    model = AcousticModel(SHAPE)
    bob = model.sentence.speakers.weight.data[1].clone()
    export.keep_speakers(model, ["bob"])
    assert torch.equal(model.sentence.speakers.weight, bob[None])
    with pytest.raises(VoiceError, match="no speaker eve; it has ann, bob"):
        export.keep_speakers(AcousticModel(SHAPE), ["eve"])


def test_symbols_that_training_never_met_sound_as_their_stand_ins():
    model = AcousticModel(SHAPE)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    utterances = some()
    batch = Recipe(SHAPE, corpus.ranges(utterances)).batch(utterances, CPU)
    total(losses(model(batch), batch, torch.tensor(2.0))).backward()
    optimizer.step()
    untrained = export._untrained(model, optimizer.state_dict())
    assert {"?", "ɒ"} <= untrained and not untrained & set(PHONEMES)
    export._stand_in(model, untrained)
    row = dict(zip(SYMBOLS, model.sentence.symbols.weight.data, strict=True))
    assert torch.equal(row["?"], row["."]) and not torch.equal(row["."], row["s"])


def test_says_what_is_missing(tmp_path):
    with pytest.raises(ModelMissing, match="recipes.tts.train"):
        export.load_run(tmp_path)
    with pytest.raises(ModelMissing, match="recipes.vocoder.train"):
        export.write_vocoder(tmp_path, tmp_path)
    with pytest.raises(VoiceError, match="recipes.tts.prepare"):
        corpus.read(tmp_path / "none.npz")


def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    assert_resume_equals_uninterrupted(
        ["-m", "recipes.tts.train", "--smoke", "--threads", "1", "--save-every", "6"], tmp_path
    )
