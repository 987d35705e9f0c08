"""The voice recipe: features, batches of frames, and an export that is the same model."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from recipes.exporting import convert_weights
from recipes.tts import corpus, export, graphs, trained
from recipes.tts.corpus import Utterance
from recipes.tts.model import Shape, SpeakingModel
from recipes.tts.sounds import Size, SoundModel
from recipes.tts.train_prosody import Setup
from recipes.vocoder.model import Synthesis
from voice.errors import ModelMissing, VoiceError
from voice.models import card as cards
from voice.models.card import read_card
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.tts.acoustic import Acoustic, SpeakerStats
from voice.tts.frames import frame_features, steady
from voice.tts.graphs import open_graph
from voice.tts.vocoder import Vocoder, pulses

SPEAKERS = ("ann", "bob")
SHAPE = Shape(speakers=SPEAKERS, width=32, predictor=2, encoder=1, decoder=1)
SIZE = Size(SPEAKERS, text=16, text_blocks=1, rounds=2, width=32, hidden=48, blocks=2)
CPU = torch.device("cpu")
PHONEMES = BOUNDARY + "sˈO dˌu wˈi, ˈæn." + BOUNDARY


def held(utterances):
    """Return utterances as a file of features holds them."""
    return corpus.Utterances.of([corpus.pack(utterances)])


def utterance(seed=0, speaker="ann"):
    """An invented one: each symbol has a spectrum of its own, vowels are voiced."""
    rng = np.random.default_rng(seed)
    tokens = corpus.tokens_of(PHONEMES)
    durations = np.where(np.isin(list(PHONEMES), list(" ˈˌ.")), 0, rng.integers(2, 8, len(tokens)))
    per_frame = np.repeat(tokens, durations)
    spectra = np.random.default_rng(5).normal(-5, 2, (len(SYMBOLS), 100))
    f0 = np.where(per_frame > 13, 180 + 20 * np.sin(np.arange(len(per_frame)) / 9), 0)
    mel = spectra[per_frame] + rng.normal(0, 0.1, (len(per_frame), 100))
    f0, loud = f0.astype(np.float32), corpus.loudness_of(mel)
    return Utterance(f"{speaker}-{seed}", speaker, tokens, durations, f0, loud)


def some(count=4):
    return [utterance(seed, ("ann", "bob")[seed % 2]) for seed in range(count)]


def test_features_written_are_features_read(tmp_path):
    corpus.write(tmp_path / "some.npz", some(3))
    for made, kept in zip(some(3), corpus.read(tmp_path / "some.npz"), strict=True):
        assert (made.id, made.speaker) == (kept.id, kept.speaker)
        for name in ("tokens", "durations", "f0", "loud"):
            np.testing.assert_array_equal(getattr(made, name), getattr(kept, name))


def test_features_of_earlier_versions_are_read_with_the_loudness_of_their_spectra(tmp_path):
    one = utterance()
    mel = np.random.default_rng(0).normal(-5, 1, (len(one.f0), 100)).astype(np.float16)
    arrays = corpus.pack([one])
    del arrays["loud"], arrays["recordings"], arrays["firsts"]
    corpus.write_arrays(tmp_path / "old.npz", arrays | {"mel": mel})
    (kept,) = corpus.read(tmp_path / "old.npz")
    np.testing.assert_allclose(kept.loud, corpus.loudness_of(mel))
    assert (kept.clip, kept.first) == (one.id, 0)


def test_nothing_can_be_written_and_read_too(tmp_path):
    corpus.write(tmp_path / "none.npz", [])
    assert len(corpus.read(tmp_path / "none.npz")) == 0


def test_every_frame_belongs_to_the_token_that_was_aligned_with_it():
    one = utterance()
    made = corpus.example(one, corpus.ranges(held([one]))["ann"])
    assert len(made.index) == len(one.f0) == len(made.loud) == one.durations.sum()
    np.testing.assert_array_equal(np.bincount(made.index, minlength=len(one.tokens)), one.durations)


def test_padding_changes_nothing():
    two = [utterance(0), utterance(1, "bob")]
    setup = Setup(SHAPE, corpus.ranges(held(two)))
    torch.manual_seed(0)
    model = SpeakingModel(SHAPE).eval().curves

    def curves(batch):
        hidden = model.hidden_states(batch.tokens, batch.speaker, batch.token_mask)
        hidden = hidden.gather(1, batch.index[..., None].expand(-1, -1, hidden.shape[-1]))
        return model(hidden, batch.features, batch.frame_mask)

    with torch.no_grad():
        together = curves(setup.batch(two, CPU))
        for row, alone in enumerate(two):
            single = curves(setup.batch([alone], CPU))
            assert torch.allclose(together[row, : len(alone.f0)], single[0], atol=1e-4)


def untrained_run():
    torch.manual_seed(1)
    sounds, speaking = SoundModel(SIZE).eval(), SpeakingModel(SHAPE).eval()
    for table in (sounds.text.speakers, sounds.decoder.tones):
        torch.nn.init.normal_(table.weight, std=0.2)
    return trained.Trained(sounds, speaking, Setup(SHAPE, corpus.ranges(held(some()))), 1, SPEAKERS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The graphs of a run with random weights in single precision, made once: the exporter takes seconds."""
    folder = tmp_path_factory.mktemp("voice")
    graphs.write_graphs(untrained_run(), folder, weights="float32")
    return folder


@pytest.fixture
def exported(folder):
    """A run with random weights, and the voice that its graphs make."""
    run = untrained_run()
    text, curves = (open_graph(folder / name) for name in (graphs.TEXT_FILE, graphs.CURVES_FILE))
    decoder = Vocoder.open(folder / graphs.SOUNDS_FILE, speaker=1)
    return run, Acoustic(text, curves, decoder, 1, SpeakerStats(5.0, 0.2, -2.0, 1.5))


@pytest.mark.parametrize("symbols", [BOUNDARY * 2, PHONEMES, BOUNDARY + "sˈO " * 90 + BOUNDARY])
@torch.no_grad()
def test_the_exported_graphs_equal_the_trained_models(exported, symbols):
    run, voice = exported
    durations, frames, f0 = voice.draw(symbols)
    tokens = torch.from_numpy(corpus.tokens_of(symbols).astype(np.int64))[None]
    given = tokens, torch.tensor([1]), torch.ones(1, len(symbols), 1)
    _, pitch, energy = run.speaking.prosody.sample(*given)[0].numpy().T
    index, features = frame_features(durations, pitch, energy)
    model = run.speaking.curves
    hidden, mask = model.hidden_states(*given)[:, index], torch.ones(1, len(index), 1)
    drawn = model(hidden, torch.from_numpy(features)[None], mask)
    curve, loud, voicing = drawn[0].numpy().T
    np.testing.assert_allclose(f0, np.where(steady(voicing) > 0, np.exp(curve * 0.2 + 5.0), 0), rtol=1e-4)
    np.testing.assert_allclose(frames[-1], loud * 1.5 - 2.0, atol=1e-4)

    pulse, noise = pulses(f0), np.zeros(len(f0) * 300, np.float32)
    heard = [torch.from_numpy(each)[None] for each in (index, f0, frames[-1])]
    parts = run.sounds(*given, *heard)
    expected = Synthesis()(parts, torch.from_numpy(pulse)[None], torch.from_numpy(noise)[None])[0].numpy()
    np.testing.assert_allclose(voice._decoder.render(frames, f0, pulse, noise), expected, atol=1e-4)


@pytest.mark.parametrize("ours", [True, False])
def test_voices_of_one_model_share_its_graphs_only_inside_the_package(tmp_path, monkeypatch, folder, ours):
    """Two cards; of the package's the second points to the first's files, of others each has its own."""
    monkeypatch.setattr(
        export, "write_graphs", lambda run, out, *_: shutil.copytree(folder, out, dirs_exist_ok=True)
    )
    if ours:
        for module in (export, cards):
            monkeypatch.setattr(module, "PRETRAINED", tmp_path)
    listed = "[ann]\nspeaker = 'ann'\ngain = 1.0\n{0}[bob]\nspeaker = 'bob'\ngain = 2.0\n{0}"
    rest = "liveliness = 1.0\nlicense = 'MIT'\ndescription = ''\norigin = ''\n"
    (tmp_path / "voices.toml").write_text(listed.format(rest))
    options = export.Options(voices=tmp_path / "voices.toml", out=tmp_path, weights="float32")
    export.export_all(untrained_run(), options.voices, options)
    own, shared = (read_card(tmp_path / name) for name in ("ann", "bob"))
    assert [own.options["speaker"], shared.options["speaker"]] == ["ann", "bob"]
    assert shared.options["speakers"]["bob"]["gain"] == 2.0
    assert (sorted(path.name for path in (tmp_path / "bob").iterdir()) == ["model.toml"]) == ours
    assert all((tmp_path / "bob" / name).is_file() for name in shared.files)
    assert Acoustic.open(tmp_path / "bob").rate == 24_000


def test_eight_bits_change_little_and_a_frame_is_the_same_whatever_is_beside_it(tmp_path, folder):
    run = untrained_run()
    traced = onnx.load(folder / graphs.SOUNDS_FILE)  # what `sounds_graph` converts
    onnx.save(convert_weights(traced, "int8", graphs.examples(run)), tmp_path / graphs.SOUNDS_FILE)
    given = graphs.examples(run, 1)[0]
    small, plain = (open_graph(each / graphs.SOUNDS_FILE) for each in (tmp_path, folder))
    (whole,), (exact,) = small.run(None, given), plain.run(None, given)
    assert np.abs(whole - exact).mean() < 0.05 * np.abs(exact).mean()
    (part,) = small.run(None, given | {"frames": given["frames"][..., 20:], "f0": given["f0"][:, 20:]})
    np.testing.assert_array_equal(part[:, :, 20:], whole[:, :, 40:])


@torch.no_grad()
def test_contrast_drives_spectra_from_their_mean_and_leaves_levels():
    run = untrained_run()
    shown = graphs.examples(run, 1)
    for each in shown:
        each["frames"][0, -1] -= 9.0  # recorded very quietly
    given = [torch.from_numpy(shown[0][name]) for name in ("frames", "f0", "speaker")]
    middles = graphs.mean_magnitudes(run, shown)

    def magnitudes(contrast):
        parts = graphs.SoundsGraph(run.sounds.decoder, middles, [contrast] * 2)(*given)[0]
        return _magnitudes(parts)

    plain, sharp = magnitudes(1.0), magnitudes(1.4)
    assert plain.isfinite().all() and sharp.isfinite().all()
    levels = [each.square().sum((0, 2)).log() / 2 for each in (plain, sharp)]
    assert (levels[0] - levels[1]).abs().mean() < 0.1
    spread = [each.log().std(2).mean() for each in (plain, sharp)]
    assert spread[1] > 1.1 * spread[0]
    assert torch.allclose(plain, _magnitudes(run.sounds.decoder(*given)[0]), rtol=1e-3)


def _magnitudes(parts):
    return torch.stack([torch.hypot(parts[0], parts[1]), parts[2], torch.hypot(parts[3], parts[4])])


def test_only_the_speakers_that_are_asked_for_are_kept(tmp_path):
    run = untrained_run()
    bob = run.sounds.decoder.tones.weight.data[1].clone()
    kept = trained.keep_speakers(run, ["bob"])
    assert kept.speakers == ("bob",) and run.speakers == SPEAKERS
    assert torch.equal(kept.sounds.decoder.tones.weight, bob[None])
    assert kept.speaking.prosody.speakers.num_embeddings == 1
    with pytest.raises(VoiceError, match="named twice"):
        trained.keep_speakers(run, ["bob", "bob"])
    with pytest.raises(VoiceError, match="no speaker eve; it has ann, bob"):
        trained.keep_speakers(untrained_run(), ["eve"])
    with pytest.raises(VoiceError, match="given 1 times for 2 speakers"):
        graphs.write_graphs(run, tmp_path, "float32", (1.2,))


def test_symbols_that_training_never_met_are_spoken_as_their_stand_ins():
    model, utterances = SpeakingModel(SHAPE), some()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    sum(model.loss(Setup(SHAPE, corpus.ranges(held(utterances))).batch(utterances, CPU)).values()).backward()
    optimizer.step()
    symbols = model.curves.symbols
    unmet = trained.untrained_symbols(model, symbols, optimizer.state_dict())
    assert {"?", "ɒ"} <= unmet and not unmet & set(PHONEMES)
    trained.copy_stand_ins(symbols, unmet)
    row = dict(zip(SYMBOLS, symbols.weight.data, strict=True))
    assert torch.equal(row["?"], row["."]) and not torch.equal(row["."], row["s"])


def test_says_what_is_missing(tmp_path):
    with pytest.raises(ModelMissing, match="recipes.tts.train "):
        trained.load_run(tmp_path, tmp_path)
    with pytest.raises(VoiceError, match="recipes.tts.prepare"):
        corpus.read(tmp_path / "none.npz")
