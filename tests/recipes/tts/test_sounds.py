"""Sounds: hibari's weights arrive whole, pieces are cut where they should be, it learns, resumes exactly."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")


from fakes.killing import assert_resumed_equals_uninterrupted
from fakes.processes import assert_two_processes_learn_what_one_learns

from recipes.adversarial import AdversarialOptions
from recipes.tts import corpus, train, trained
from recipes.tts.corpus import Utterance
from recipes.tts.pieces import CONTEXT, Collection, Errors
from recipes.tts.preparation import recordings
from recipes.tts.sounds import LOUD, Size, SoundModel
from recipes.tts.warm import heart_weights
from recipes.vocoder.losses import SpectralLoss
from recipes.vocoder.model import Synthesis
from voice.errors import ModelMissing, VoiceError
from voice.features import voice_log_mel
from voice.text.alphabet import SYMBOLS
from voice.tts import onnx_edit
from voice.tts.heart import package

HOP, RATE = 300, 24000
VOICES = Path(train.__file__).parent / "voices.safetensors"


@torch.no_grad()
def test_a_voice_that_begins_as_hibaris_says_what_it_says():
    """Its network in ONNX, in eight bits, and ours in floats: the same spectra, but for rounding."""
    import onnxruntime

    from voice.text.english.pronunciation import alphabet

    phonemes = "ðə kwˈɪk bɹˈWn fˈɑks."
    model = (package() / "hibari.onnx").read_bytes()
    model = onnx_edit.with_outputs(model, "/Mul_62_output_0", "/Cast_32_output_0")
    session = onnxruntime.InferenceSession(model)
    ids = [[0, *(alphabet()[p] for p in phonemes), 0]]
    given = {"ids": np.array(ids, np.int64), "speed": np.ones(1, np.float32)}
    pulse, turn, noise, rest, free, f0, loud, durations = session.run(None, given)

    ours = SoundModel(Size(("anyone",))).eval()
    ours.load_state_dict(heart_weights(ours))
    tokens = torch.tensor([[SYMBOLS.index(symbol) for symbol in f"_{phonemes}_"]])
    index = torch.from_numpy(np.repeat(np.arange(len(durations)), 2 * durations))[None]
    frames = index, torch.from_numpy(np.maximum(f0, 0)), torch.from_numpy((loud - LOUD[1]) / LOUD[0])
    parts = ours(tokens, torch.tensor([0]), torch.ones(1, tokens.shape[1], 1), *frames)[0]
    theirs = (pulse, turn, noise, rest, free)
    pulse, turn, noise, rest, free = (torch.from_numpy(each[0].T) for each in theirs)
    assert (torch.hypot(parts[0], parts[1]).log() - pulse).abs().mean() < 0.06
    assert (parts[2].log() - np.log(2) / 2 - noise).abs().mean() < 0.06
    assert (torch.hypot(parts[3], parts[4]).log() - rest).abs().mean() < 0.06
    for ours, theirs in ((parts[:2], torch.pi * torch.tanh(turn)), (parts[3:], free)):
        cosine = (ours[0] * theirs.cos() + ours[1] * theirs.sin()) / torch.hypot(*ours)  # of the difference
        assert cosine.mean() > 0.97


def write_corpus(folder, count=4):
    """Features and recordings of two speakers, with a manifest that names the audio."""
    utterances, rows = [], []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        tokens = np.concatenate([[0], rng.integers(15, 60, 6), [0]]).astype(np.int16)
        durations = rng.integers(6, 12, len(tokens))
        frames = int(durations.sum())
        f0 = np.full(frames, 150.0 + 50 * (seed % 2), np.float32)
        samples = 0.2 * np.sin(2 * np.pi * np.cumsum(np.repeat(f0, HOP)) / RATE)
        soundfile.write(folder / f"{seed}.wav", samples, RATE)
        name = ("ann", "bob")[seed % 2]
        mel = voice_log_mel(samples.astype(np.float32))[:, :frames].T.astype(np.float16)
        loud = corpus.loudness_of(mel)
        utterances.append(Utterance(f"{name}-{seed}", name, tokens, durations, f0, loud))
        row = {"id": f"{name}-{seed}", "audio": f"{seed}.wav", "text": ""}
        rows.append(row | {"duration": frames / 80, "speaker": name})
    corpus.write(folder / "some.npz", utterances)
    (folder / "some.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "some.npz", folder / "some.jsonl"


def test_a_piece_holds_what_was_said_there(tmp_path):
    features, manifest = write_corpus(tmp_path)
    loaded = recordings.load([features], [manifest])
    collection = Collection(loaded, ("ann", "bob"))
    made = collection.pieces(0, 0, 8, 20, Errors(0.0, 0.0))
    assert made.f0.shape == (8, 20 + 2 * CONTEXT) and made.real.shape == (8, made.f0.shape[1] * HOP)
    assert torch.equal(made.f0, collection.pieces(0, 0, 8, 20, Errors(0.0, 0.0)).f0)
    assert not torch.equal(made.real, collection.pieces(0, 1, 8, 20, Errors(0.0, 0.0)).real)
    for row, speaker in enumerate(made.speaker.tolist()):
        heard = made.f0[row][made.f0[row] > 0]
        assert (heard == 150 + 50 * speaker).all()
        inside = made.f0[row].repeat_interleave(HOP) > 0
        assert made.real[row][~inside].abs().max() == 0 if (~inside).any() else True
        assert made.real[row][inside].square().mean() == pytest.approx(0.02, rel=0.1)


def test_speakers_are_drawn_as_often_as_is_asked(tmp_path):
    loaded = recordings.load(*([path] for path in write_corpus(tmp_path)))
    made = Collection(loaded, ("ann", "bob"), {"ann": 3.0}).pieces(0, 0, 200, 4, Errors())
    assert (made.speaker == 0).float().mean() == pytest.approx(0.75, abs=0.1)
    with pytest.raises(VoiceError, match="heart=0.3"):
        train.parse_shares(["heart"], ("heart",))
    for wrong in ("hart=0.3", "heart=0", "heart=-1"):
        with pytest.raises(VoiceError, match="one of heart a number above 0"):
            train.parse_shares([wrong], ("heart",))


def test_recordings_are_decoded_once_and_one_without_audio_is_named(tmp_path):
    features, manifest = write_corpus(tmp_path)
    recordings.load([features], [manifest])
    assert len(recordings.load([features], [])) == 4  # kept beside the features
    kept = features.with_suffix(".samples.npy")
    np.save(kept, np.load(kept)[:-HOP])  # of other features
    assert len(recordings.load([features], [manifest])) == 4 and len(np.load(kept)) % HOP == 0
    (tmp_path / "other").mkdir()
    other = write_corpus(tmp_path / "other")[1]
    with pytest.raises(VoiceError, match="the same id"):
        recordings.load([features], [manifest, other])
    kept.unlink()
    with pytest.raises(VoiceError, match="ann-0"):
        recordings.load([features], [])


def test_a_part_of_a_recording_has_the_sound_of_that_part(tmp_path):
    features, manifest = write_corpus(tmp_path, 1)
    (whole,) = corpus.read(features)
    durations = np.array([20] + [0] * (len(whole.tokens) - 1))
    part = replace(whole, id="part", recording=whole.id, first=9, durations=durations)
    corpus.write(tmp_path / "cut.npz", [replace(part, f0=part.f0[9:29], loud=part.loud[9:29])])
    (cut,) = recordings.load([tmp_path / "cut.npz"], [manifest])
    (uncut,) = recordings.load([features], [manifest])
    np.testing.assert_array_equal(cut.samples, uncut.samples[9 * HOP : 29 * HOP])


def test_overfits_one_batch(tmp_path):
    collection = Collection(recordings.load(*([path] for path in write_corpus(tmp_path))), ("ann", "bob"))
    given = collection.pieces(0, 0, 2, 24, Errors(0.0, 0.0))
    torch.manual_seed(0)
    model, synthesis, distance = SoundModel(Size(("ann", "bob"), **train.SMALL)), Synthesis(), SpectralLoss()
    optimizer, seen = torch.optim.AdamW(model.parameters(), 5e-3), []
    for _ in range(40):
        loss, _ = distance(*train.render(synthesis, model(*given.inputs), given))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.6 * seen[0]


def test_a_run_of_other_speakers_is_not_gone_on_with(tmp_path):
    features, manifest = write_corpus(tmp_path)
    options = train.Options(
        (features,),
        (),
        (manifest,),
        cold=True,
        small=True,
        smoke=False,
        steps=1,
        batch=1,
        seconds=0.2,
        out=tmp_path / "run",
    )
    train.main(options)
    corpus.write(features, [replace(each, speaker="eve") for each in corpus.read(features)])
    with pytest.raises(VoiceError, match="which has changed since"):
        train.main(options)
    other = replace(options, features=(Path(shutil.copy(features, tmp_path / "eve.npz")),))
    with pytest.raises(VoiceError, match=r"begun with --features .*some.npz, not with --features .*eve.npz"):
        train.main(other)


@pytest.mark.parametrize("saves", [1, 3])
def test_resumed_equals_uninterrupted_before_and_after_discriminators_have_come_in(tmp_path, saves):
    features, manifest = write_corpus(tmp_path)
    small = AdversarialOptions(
        adversarial_from=3, discriminators_width=4, discriminators_batch=1, discriminators_seconds=0.1
    )
    options = train.Options(
        (features,), (features,), (manifest,), cold=True, small=True, steps=8, save_every=2, batch=2,
        seconds=0.2, adversarial=small, dev_clips=1,
    )  # fmt: skip
    assert_resumed_equals_uninterrupted(lambda out: train.main(replace(options, out=out)), tmp_path, saves)


def test_two_processes_learn_what_one_learns(tmp_path):
    features, manifest = write_corpus(tmp_path)
    small = AdversarialOptions(
        adversarial_from=2, discriminators_width=4, discriminators_batch=1, discriminators_seconds=0.1
    )
    options = train.Options(
        (features,), (features,), (manifest,), cold=True, small=True, steps=4, save_every=2, batch=2,
        seconds=0.2, adversarial=small, dev_clips=1,
    )  # fmt: skip
    assert_two_processes_learn_what_one_learns("recipes.tts.train", options, tmp_path, weights="model")


def test_a_run_may_begin_with_another_one_and_new_speakers_with_the_mean_of_the_old(tmp_path):
    size = Size(("ann", "bob"), **train.SMALL)
    old = SoundModel(size)
    torch.nn.init.normal_(old.decoder.tones.weight)
    saved = {"ema": {"weights": old.state_dict()}, "about": vars(size)}
    torch.save({"parts": saved}, tmp_path / "last.pt")
    new = SoundModel(Size(("bob", "eve"), **train.SMALL))
    weights = train.warm_weights(tmp_path / "last.pt", new)
    tones = old.decoder.tones.weight
    assert torch.equal(weights["decoder.tones.weight"], torch.stack([tones[1], tones.mean(0)]))
    assert torch.equal(weights["decoder.head.weight"], old.decoder.head.weight)


def test_what_an_export_leaves_for_other_voices_is_the_run_in_half_precision(tmp_path):
    size = Size(("ann", "bob"), **train.SMALL)
    run = trained.Trained(SoundModel(size), None, None, 1, size.speakers)
    trained.write_start(run, tmp_path / "start.safetensors")
    weights = train.warm_weights(tmp_path / "start.safetensors", SoundModel(Size(("bob",), **train.SMALL)))
    for name, value in run.sounds.state_dict().items():
        if name in ("text.speakers.weight", "decoder.tones.weight"):
            value = value[1:]
        assert torch.allclose(weights[name], value, atol=1e-3)
    with pytest.raises(ModelMissing, match="no .*none"):
        train.weights_of(tmp_path / "none.safetensors")


def test_our_own_weights_fit_the_network():
    model = SoundModel(Size(("somebody",)))
    model.load_state_dict(train.warm_weights(VOICES, model))
