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

from recipes.tts import corpus, export, scores  # noqa: E402
from recipes.tts.corpus import Utterance  # noqa: E402
from recipes.tts.evaluate import Item, items_of, score  # noqa: E402
from recipes.tts.model import AcousticModel, Shape, losses, total  # noqa: E402
from recipes.tts.train import Recipe  # noqa: E402
from voice import audio  # noqa: E402
from voice.errors import ModelMissing, TextError, VoiceError  # noqa: E402
from voice.tts.acoustic import BOUNDARY, SYMBOLS, Acoustic, Manner, frame_features, steady  # noqa: E402
from voice.tts.graphs import open_graph  # noqa: E402
from voice.types import Audio, Segment, Transcript  # noqa: E402

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
        _, together = model(recipe.batch(two, CPU))
        for row, alone in enumerate(two):
            _, single = model(recipe.batch([alone], CPU))
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
        loss = total(losses(*model(batch), batch, torch.tensor(2.0)))
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
    export.write_graphs(model, folder, half=False)
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
    total(losses(*model(batch), batch, torch.tensor(2.0))).backward()
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
    with pytest.raises(TextError, match="sentence a line"):
        items_of(tmp_path / "none.txt", None)


def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    assert_resume_equals_uninterrupted(
        ["-m", "recipes.tts.train", "--smoke", "--threads", "1", "--save-every", "6"], tmp_path
    )


def tone(hertz, seconds=1.0):
    time = np.arange(round(24000 * seconds)) / 24000
    buzz = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 20))
    return Audio((0.1 * buzz).astype(np.float32), 24000)


def test_speech_is_no_distance_from_itself_and_some_from_other_speech():
    root = Path(__file__).resolve().parents[2] / "data" / "tiny" / "audio"
    first, second = (audio.read(path) for path in sorted(p for p in root.rglob("*") if p.is_file())[:2])
    assert scores.distortion(first, first) == pytest.approx(0, abs=1e-4)
    louder = Audio(first.samples * 0.5, first.rate)
    assert scores.distortion(first, louder) < 0.5 < 3 < scores.distortion(first, second)


def test_pitch_spread_is_that_of_the_logarithm():
    low, high = (scores.log_f0(tone(hertz)) for hertz in (150, 200))
    assert scores.pitch_spread([low, high]) == pytest.approx(np.log(200 / 150) / 2, rel=0.05)
    assert np.isnan(scores.pitch_spread([]))


class Parrot:
    """Hears one sentence, whatever is said."""

    rate, longest = 16000, 30.0

    def transcribe(self, speech, **_):
        return Transcript((Segment("so do we and", 0.0, speech.duration),), "en", speech.duration)


def test_a_row_says_what_was_heard_and_how_long_it_took():
    items = [Item("So do we, Ann.", tone(200)), Item("So do we and.", tone(150))]
    row = score(Parrot(), lambda item: tone(180), items, names=("test", "buzz"))
    assert (row.sentences, row.words, row.rate) == (2, 8, 1 / 8)
    assert row.distortion > 0 and row.real_time > 0 and row.pitch_spread < 0.02
    row = score(Parrot(), lambda item: item.recording, items, names=("test", "recordings"))
    assert row.distortion is None and row.real_time is None


def test_sentences_are_spread_evenly(tmp_path):
    (tmp_path / "some.txt").write_text("One.\n\nTwo.\nThree.\nFour.\nFive.\n", "utf-8")
    assert [item.text for item in items_of(tmp_path / "some.txt", 3)] == ["One.", "Three.", "Five."]
