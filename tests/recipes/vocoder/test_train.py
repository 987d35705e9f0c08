"""The vocoder recipe: it learns, resumes exactly, sees as far as it says; its export is the same model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from fakes.killing import assert_killed_and_resumed_equals_uninterrupted, first_difference
from fakes.processes import assert_two_processes_learn_what_one_learns
from fakes.rates import write_corpus

from recipes.exporting import to_float16
from recipes.reporting.scalars import read_curves
from recipes.scaling import ScaleOptions
from recipes.vocoder import crops, losses, model, train
from recipes.vocoder.crops import without_edges
from recipes.vocoder.export import export, load_run
from voice.errors import VoiceError
from voice.features import voice_log_mel
from voice.manifest import read_manifest, write_manifest
from voice.tts.vocoder import Vocoder, pulses

PLAIN = crops.Augmentation(noise=0.0, blur=0.0, jitter=0.0)


@pytest.fixture(scope="module")
def corpus():
    return crops.load_corpus([train.TINY / "train.jsonl"])


def tiny(seed=0):
    torch.manual_seed(seed)
    return model.Generator(model.SIZES["tiny"])


def sources(frames, seed=0):
    rng = np.random.default_rng(seed)
    mel = rng.standard_normal((100, frames)).astype(np.float32) - 5
    f0 = np.where(np.arange(frames) % 20 < 12, 180.0 + np.arange(frames) % 40, 0).astype(np.float32)
    return mel, f0, pulses(f0), rng.standard_normal(frames * 300).astype(np.float32)


def add_batch_axis(arrays):
    return [torch.from_numpy(array)[None] for array in arrays]


def test_overfits_one_batch(corpus):
    batch, generator = corpus.crops(0, 0, 2, 24, PLAIN), tiny()
    optimizer = torch.optim.AdamW(generator.parameters(), 5e-3)
    distance, seen = losses.SpectralLoss(), []
    for _ in range(40):
        loss, _ = distance(without_edges(generator(*batch.inputs)), without_edges(batch.real))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.8 * seen[0]


def test_without_sources_it_is_the_network_alone_that_makes_the_sound():
    mel, f0, pulse, noise = add_batch_axis(sources(20))
    for plain, equal in ((True, True), (False, False)):
        generator = model.Generator(model.SIZES["tiny"], plain)
        with torch.no_grad():
            heard = [generator(mel, f0, each * pulse, each * noise) for each in (0.0, 1.0)]
        assert heard[0].abs().max() > 0 and torch.equal(*heard) == equal


def test_a_run_does_not_go_on_as_another_kind(tmp_path):
    options = train.Options(smoke=True, steps=1, plain=True, threads=1, out=tmp_path / "run")
    train.main(options)
    assert load_run(tmp_path / "run").plain
    with pytest.raises(VoiceError, match="begun with --plain, not with --no-plain"):
        train.main(dataclasses.replace(options, plain=False))
    with pytest.raises(VoiceError, match="begun with --size tiny, not with --size base"):
        train.main(dataclasses.replace(train.shrink(options), smoke=False, size="base"))


def test_speech_that_is_the_recording_costs_nothing(corpus):
    real = corpus.crops(0, 0, 2, 24, PLAIN).real
    assert losses.SpectralLoss()(real, real)[0].item() == pytest.approx(0.0, abs=1e-6)


def test_the_loss_hears_the_mel_that_features_measure(corpus):
    real = corpus.whole(0).real
    _, mel = losses.Spectrum(1200, 100)(real)
    expected = voice_log_mel(real[0].numpy())
    np.testing.assert_allclose(mel[0, :, : expected.shape[1]].numpy(), expected, atol=2e-3)


def test_a_frame_depends_on_reach_frames_and_no_more():
    generator = tiny().eval()
    reach, at = generator.size.reach, 20
    mel, f0, _, _ = add_batch_axis(sources(41))
    mel.requires_grad_()
    generator.parts(mel, f0)[0, :, at].sum().backward()
    felt = torch.nonzero(mel.grad[0].abs().sum(0)).flatten()
    assert felt.min() == at - reach and felt.max() == at + reach


def test_crops_follow_from_seed_and_step_and_hold_what_was_recorded(corpus):
    how = crops.Augmentation(noise=0.1, blur=0.5, jitter=0.01)
    a, b, other = (corpus.crops(3, step, 4, 30, how) for step in (7, 7, 8))
    for field in dataclasses.fields(crops.Crops):
        assert torch.equal(getattr(a, field.name), getattr(b, field.name))
    assert not torch.equal(a.real, other.real)
    assert a.mel.shape == (4, 100, 30) and a.real.shape == a.pulse.shape == (4, 9000)
    whole = corpus.whole(2)
    heard, kept = voice_log_mel(whole.real[0].numpy())[:, 3:-3], whole.mel[0, :, 3:-3].numpy()
    assert np.abs(heard - kept)[kept > -7].max() < 0.05  # below, 16-bit samples are too coarse


def test_clips_shorter_than_a_crop_end_in_silence(corpus):
    crop = corpus.crops(0, 0, 2, 1000, PLAIN)
    assert crop.mel.shape == (2, 100, 1000) and not crop.real[:, -3000:].any() and not crop.f0[:, -10:].any()


def test_a_recording_that_cannot_be_opened_is_left_out_and_told(corpus, tmp_path, capsys):
    clips = read_manifest(train.TINY / "train.jsonl")
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    write_manifest(tmp_path / "all.jsonl", [*clips, dataclasses.replace(clips[0], audio=broken, id="broken")])
    with pytest.warns(UserWarning, match="broken is left out: .* cannot be read as sound"):
        found = crops.load_corpus([tmp_path / "all.jsonl"])
    assert np.array_equal(found.samples, corpus.samples)
    assert "left out 1 of 21 rows: 1 cannot be opened (broken)" in capsys.readouterr().out


@pytest.mark.parametrize(("rate", "told"), [(16_000, True), (44_100, False)])
def test_recordings_of_any_rate_are_learned_from_and_what_they_lack_is_told(tmp_path, capsys, rate, told):
    manifest = write_corpus(tmp_path / "corpus", rate)
    small = dataclasses.replace(
        train.shrink(train.Options()), smoke=False, manifest=(manifest,), dev=(manifest,)
    )
    train.main(dataclasses.replace(small, out=tmp_path / "run", steps=7, save_every=3, rate=5e-3))
    distances = [value for _, value in read_curves(tmp_path / "run")["dev/mel_l1"]]
    assert distances[-1] < distances[0]
    assert ("4 of 4 recordings are sampled below 24000 Hz" in capsys.readouterr().out) == told
    generator = load_run(tmp_path / "run")
    made = generator(*add_batch_axis(sources(20)))[0]
    assert made.shape == (6000,) and torch.isfinite(made).all()


def test_a_cached_corpus_is_the_same(corpus, tmp_path):
    manifest = [train.TINY / "dev.jsonl"]
    made, kept = (crops.load_corpus(manifest, tmp_path) for _ in range(2))
    assert len(list(tmp_path.iterdir())) == 1
    for name in ("frames", "samples", "mel", "f0"):
        np.testing.assert_array_equal(getattr(made, name), getattr(kept, name))


@pytest.mark.parametrize("frames", [1, 2, 7, 61])
def test_the_exported_model_equals_the_trained_one(frames, exported):
    generator, vocoder = exported
    given = sources(frames)
    with torch.no_grad():
        expected = generator(*add_batch_axis(given))[0].numpy()
    np.testing.assert_allclose(vocoder.render(*given), expected, atol=1e-4)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A generator and its export in single precision, made once: the exporter takes seconds."""
    generator = tiny().eval()
    return generator, Vocoder.open(export(generator, tmp_path_factory.mktemp("model"), weights="float32"))


@pytest.fixture(scope="module")
def full(tmp_path_factory, exported):
    return next(tmp_path_factory.getbasetemp().glob("model*/vocoder.onnx"))


def test_half_precision_weights_change_little_and_halve_the_file(exported, full, tmp_path):
    onnx = pytest.importorskip("onnx")
    onnx.save(to_float16(onnx.load(full)), tmp_path / "vocoder.onnx")
    assert (tmp_path / "vocoder.onnx").stat().st_size < 0.7 * full.stat().st_size
    expected = exported[1].render(*sources(40))
    np.testing.assert_allclose(
        Vocoder.open(tmp_path).render(*sources(40)), expected, atol=0.01 * np.abs(expected).max()
    )


def test_a_smoke_run_asks_for_so_little_that_it_takes_seconds():
    o = train.shrink(train.Options(threads=8))
    assert o.threads == 1 and o.dev_clips == 1 and o.size == "tiny"  # threads would wait for each other
    assert o.steps * o.batch * o.seconds < 60 and o.adversarial.adversarial_from < o.save_every * 2 < o.steps
    assert train.shrink(train.Options(steps=3)).steps == 3


def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    assert_killed_and_resumed_equals_uninterrupted(
        "recipes.vocoder.train", ["--smoke", "--threads", "1", "--save-every", "6"], tmp_path
    )
    assert load_run(tmp_path / "killed").size == model.SIZES["tiny"]


def test_differences_between_states_are_found():
    state = {"a": [torch.ones(2), 3], "b": np.zeros(2)}
    other = {"a": [torch.tensor([1.0, 2.0]), 3], "b": np.zeros(2)}
    assert first_difference(state, state) is None
    assert first_difference(state, other) == "/a/0"


def test_two_processes_learn_what_one_learns_and_the_mean_of_the_best_is_kept(tmp_path):
    adversarial = dataclasses.replace(train.Options().adversarial, adversarial_from=2)
    options = train.Options(
        smoke=True, steps=4, save_every=2, threads=1, adversarial=adversarial,
        scale=ScaleOptions(keep_best=2),
    )  # fmt: skip
    assert_two_processes_learn_what_one_learns("recipes.vocoder.train", options, tmp_path, weights="model")
    assert not load_run(tmp_path / "together").plain
    kept = sorted(path.name for path in (tmp_path / "together").glob("*.pt"))
    assert kept[:2] == ["averaged-best.pt", "best.pt"] and "weights-0000004.pt" in kept
    mean, best = (load_run(tmp_path / "together", which).state_dict() for which in ("averaged-best", "best"))
    assert any(not torch.equal(value, best[name]) for name, value in mean.items())


def test_a_dry_run_prints_the_plan_and_writes_no_run(tmp_path, capsys):
    train.main(train.Options(smoke=True, threads=1, out=tmp_path / "run", scale=ScaleOptions(dry_run=8)))
    shown = capsys.readouterr().out
    assert "8 devices × 1 batches a step" in shown and "memory of each device" in shown
    assert not (tmp_path / "run").exists()
