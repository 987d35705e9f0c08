"""Flow matching: it learns from nothing, resumes exactly; its export speaks, whole and in pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fakes.killing import assert_resumed_equals_uninterrupted
from fakes.processes import assert_two_processes_learn_what_one_learns
from fakes.rates import write_corpus

from recipes.reporting.scalars import read_curves
from recipes.tts import corpus, prepare
from recipes.tts.flow import batches, export, train
from recipes.tts.flow.model import FlowModel, Shape
from recipes.tts.pieces import Collection
from recipes.tts.preparation import recordings
from voice.errors import ModelDamaged, VoiceError
from voice.features import voice_log_mel
from voice.loading import load_voice
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences
from voice.tts.flow_matching import CHANNELS, FlowMatching
from voice.tts.prosody_targets import prosody_targets
from voice.types import Controls

CONSENT = "Heart, 2026-12-01: I agree that a synthetic voice is made of my recordings"


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """Features of recordings of 44.1 kHz, their manifest."""
    folder = tmp_path_factory.mktemp("high")
    manifest = write_corpus(folder / "high", 44_100)
    prepare.main(prepare.Options(manifest=(str(manifest),), out=folder))
    return folder / "high-train.npz", manifest


def options(taught, out, **changed):
    features, manifest = taught
    chosen = train.Options(
        (features,), (features,), (manifest,), out=out, small=True, batch=4, seconds=0.5, steps=6,
        save_every=2, dev_clips=2,
    )  # fmt: skip
    return replace(chosen, **changed)


@pytest.fixture(scope="module")
def run(taught, tmp_path_factory):
    """A run from nothing, on recordings of 44.1 kHz."""
    out = tmp_path_factory.mktemp("run") / "run"
    train.main(options(taught, out, steps=30, save_every=10, rate=5e-2))
    return out


@pytest.fixture(scope="module")
def voice(run):
    return export.export(
        export.load_run(run), export.Options(run, ("heart",), run.parent / "mine", consent=CONSENT)
    )


def test_from_nothing_the_losses_of_unseen_noise_go_down(run):
    curves = read_curves(run)
    for name in ("mean", "flow", "duration"):
        values = [value for _, value in curves[f"dev/{name}"]]
        assert values[-1] < 0.95 * values[0], name


def test_what_was_exported_speaks_the_same_each_time_whole_and_in_pieces(voice):
    speaker = load_voice(str(voice), threads=1)
    (speech,) = speaker.speak("Good morning, everyone.")
    (again,) = speaker.speak("Good morning, everyone.")
    assert [word.text for word in speech.words] == ["Good", "morning,", "everyone."]
    np.testing.assert_array_equal(speech.audio.samples, again.audio.samples)
    pieces = [each.audio.samples for each in speaker.stream("Good morning, everyone.")]
    np.testing.assert_allclose(np.concatenate(pieces), speech.audio.samples, atol=1e-4)


def test_speed_changes_the_length_and_pitch_moves_f0_alone(voice):
    speaker, engine = load_voice(str(voice), threads=1), FlowMatching.open(voice)
    seconds = [
        next(iter(speaker.speak("Good morning.", each))).audio.duration
        for each in (Controls(), Controls(speed=0.5))
    ]
    assert seconds[1] > 1.2 * seconds[0]  # a phoneme has a frame at least
    (reading,) = spoken_sentences("Good morning.", ENGLISH)
    plain, higher = (
        engine.render_phonemes(reading.phonemes, prosody_targets(reading, each))
        for each in (Controls(), Controls(pitch=4.0))
    )
    voiced = plain.f0 > 0
    np.testing.assert_array_equal(voiced, higher.f0 > 0)
    np.testing.assert_allclose(12 * np.log2(higher.f0[voiced] / plain.f0[voiced]), 4.0, atol=1e-3)
    np.testing.assert_array_equal(plain.durations, higher.durations)


def test_the_exported_graphs_draw_what_the_trained_model_draws(run, voice):
    trained = export.load_run(run)
    tokens = torch.from_numpy(corpus.tokens_of("_hˈI_").astype(np.int64))[None]
    mask = torch.ones(*tokens.shape, 1)
    hidden, lengths = trained.model.encode(tokens, torch.zeros(1, dtype=torch.int64), mask)
    engine = FlowMatching.open(voice)
    given = {"tokens": tokens.numpy(), "speaker": np.zeros(1, np.int64)}
    for mine, theirs in zip((hidden, lengths), engine._text.run(None, given), strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), theirs, atol=0.02)
    features, noise = torch.randn(1, 12, 8), torch.randn(1, 12, CHANNELS)
    frames = hidden[:, torch.arange(12) % tokens.shape[1]]
    expected = trained.model.sample(frames, features, noise, torch.ones(1, 12, 1), 8).detach().numpy()
    shown = {"hidden": frames.detach().numpy(), "features": features.numpy(), "noise": noise.numpy()}
    (drawn,) = engine._flow.run(None, shown)
    np.testing.assert_allclose(drawn, expected, atol=0.05)


def test_a_card_without_speakers_is_refused(voice, tmp_path):
    for path in voice.iterdir():
        held = path.read_bytes()
        card = held.replace(b"pitch_mean", b"pitch_meen") if path.suffix == ".toml" else held
        (tmp_path / path.name).write_bytes(card)
    with pytest.raises(ModelDamaged, match="does not say how its speakers speak"):
        FlowMatching.open(tmp_path)


def test_a_piece_has_the_spectrum_of_the_whole_recording(taught):
    spoken = recordings.load([taught[0]], [taught[1]])
    one = spoken[0]
    whole = voice_log_mel(one.samples.astype(np.float32) / 2**15).T
    np.testing.assert_allclose(batches.log_mel(one, 7, 23), whole[7:23], atol=1e-4)
    ranges = corpus.ranges(spoken.utterances)
    batch = batches.whole(Collection(spoken, ("heart",)), ranges, 0)
    assert batch.wanted.shape == (1, len(one.f0), CHANNELS) and batch.durations.sum() == len(one.f0)
    assert set(batch.wanted[0, :, -1].unique().tolist()) <= {-1.0, 1.0}


def test_overfits_one_batch(taught):
    spoken = recordings.load([taught[0]], [taught[1]])
    ranges = corpus.ranges(spoken.utterances)
    batch = batches.cut(Collection(spoken, ("heart",)), ranges, 0, 0, 4, 40)
    torch.manual_seed(0)
    model = FlowModel(Shape(("heart",), **train.SMALL, dropout=0.0))
    model.set_range(batch.wanted[batch.frame_mask[..., 0] > 0])
    optimizer, seen = torch.optim.AdamW(model.parameters(), 1e-2), []
    for _ in range(60):
        loss = train.weigh(model.loss(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.5 * seen[0]


def test_resumed_equals_uninterrupted(taught, tmp_path):
    assert_resumed_equals_uninterrupted(lambda out: train.main(options(taught, out)), tmp_path, saves=2)


def test_two_processes_learn_what_one_learns(taught, tmp_path):
    chosen = options(taught, tmp_path, steps=4)
    assert_two_processes_learn_what_one_learns("recipes.tts.flow.train", chosen, tmp_path, weights="model")


def test_an_encoder_begins_as_another_voice_or_as_nothing(taught, tmp_path):
    model = FlowModel(Shape(("heart",)))
    warm = train.first_encoder(options(taught, tmp_path, small=False), model)
    assert warm.keys() == model.text.state_dict().keys()
    assert not torch.equal(warm["emb.weight"], model.text.emb.weight)
    cold = train.first_encoder(options(taught, tmp_path, small=False, cold=True), model)
    assert torch.equal(cold["emb.weight"], model.text.emb.weight)
    with pytest.raises(VoiceError, match="leave one out"):
        train.first_encoder(options(taught, tmp_path, cold=True, warm_start=tmp_path), model)
