from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sentencepiece")

from fakes.killing import assert_resumed_equals_uninterrupted
from fakes.processes import assert_two_processes_learn_what_one_learns

from recipes.asr import smoke
from recipes.ctc import evaluate, examples, export, train
from recipes.ctc.building import read_model
from recipes.ctc.model import Size
from recipes.runs import read as read_run
from recipes.scaling import ScaleOptions
from voice import audio
from voice.asr.ctc.recognizer import WHOLE, OnnxCTCRecognizer, features_of
from voice.errors import ModelDamaged, ModelError, VoiceError
from voice.loading import load_recognizer
from voice.models.card import read_card
from voice.transcription import Transcriber

CHECKOUT = Path(__file__).parents[3]
TINY = str(CHECKOUT / "data/tiny/train.jsonl")
SMALL = Size(layers=1, width=16, heads=2, feed_forward=32, kernel=3, decoder_layers=1)


def options(out: Path, **changed) -> train.Options:
    few = train.Options(
        manifest=(f"{TINY}:6",), dev=(f"{TINY}:2",), out=out, size=SMALL, vocabulary=40, warmup=2, steps=4,
        batch_seconds=8.0, save_every=1, check_every=2, threads=1,
    )  # fmt: skip
    return dataclasses.replace(few, **changed)


@pytest.fixture(scope="module")
def smoke_run(tmp_path_factory) -> Path:
    """The tiny corpus learned by heart from scratch: what `--smoke` does."""
    out = tmp_path_factory.mktemp("smoke")
    train.main(train.Options(manifest=(TINY,), dev=(TINY,), out=out, smoke=True, threads=1))
    return out


@pytest.fixture(scope="module")
def model(smoke_run, tmp_path_factory) -> Path:
    """The same as a model."""
    out = tmp_path_factory.mktemp("model")
    export.main(export.Options(run=smoke_run, out=out, name="tiny"))
    return out


def test_a_small_network_from_scratch_learns_the_tiny_corpus_by_heart(model):
    (best, beam) = evaluate.rows(evaluate.Options(model=str(model), manifest=(TINY,), threads=1))
    assert best.clips == 20 and best.characters < 0.05 and beam.characters < 0.05


def test_the_export_writes_what_the_network_writes(smoke_run, model):
    network, _ = read_model(smoke_run, read_run(smoke_run, "recipes.ctc.train"), "best")
    recognizer = load_recognizer(str(model), threads=1)
    assert isinstance(recognizer, OnnxCTCRecognizer)
    sounds = [audio.read(clip.audio, 16_000).samples for clip in examples.select([f"{TINY}:3"])]
    together = recognizer.log_probs(sounds)
    for samples, found in zip(sounds, together, strict=True):
        features = torch.from_numpy(features_of(samples, "kaldi"))[None]
        with torch.no_grad():
            expected, _ = network(features, torch.tensor([features.shape[1]]), torch.tensor(WHOLE))
        np.testing.assert_allclose(found, expected[0].numpy(), atol=0.05)
        np.testing.assert_allclose(recognizer.log_probs([samples])[0], found, atol=1e-3)


def test_the_model_transcribes_with_times_as_any_other_does(model):
    (clip,) = examples.select([f"{TINY}:1"])
    recognizer = load_recognizer(str(model), threads=1)
    sound = audio.resample(audio.read(clip.audio), 16_000)
    transcript = recognizer.transcribe(sound)
    assert transcript.text == train.data.texts_of([clip])[0].lower().translate(str.maketrans("", "", ".,?!"))
    times = [time for word in transcript.words for time in (word.start, word.end)]
    assert times == sorted(times) and times[-1] <= sound.duration
    truth = [start for _, start, _ in clip.extra["words"]]
    off = [abs(word.start - start) for word, start in zip(transcript.words, truth, strict=True)]
    assert np.median(off) < 0.2


def test_the_card_says_what_the_model_is(model):
    card = read_card(model)
    assert (card.kind, card.engine, card.language, card.rate) == ("recognizer", "ctc", "en", 16_000)
    assert set(card.files) == {"encoder.onnx", "units.json"} and card.options["frame"] == 0.04


WRONG = [
    ('features = "kaldi"', 'features = "pixels"'),
    ("frame = 0.04", "frame = 0.0"),
    ("beam = 16", 'beam = "wide"'),
]


@pytest.mark.parametrize("change", WRONG)
def test_a_card_with_wrong_options_is_refused(model, tmp_path, change):
    for path in model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    card = tmp_path / "model.toml"
    assert change[0] in card.read_text("utf-8")
    card.write_text(card.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(ModelDamaged):
        load_recognizer(str(tmp_path))


def test_resumed_equals_uninterrupted(tmp_path):
    def run(out: Path) -> None:
        train.main(options(out))

    assert_resumed_equals_uninterrupted(run, tmp_path, saves=2)


@pytest.mark.parametrize("base", ["whisper", "hub"])
def test_an_encoder_that_is_there_is_trained_further_and_exported(tmp_path, base):
    name = str(smoke.base(tmp_path)) if base == "whisper" else f"hf:{tiny_hubert(tmp_path / 'hubert')}"
    run = tmp_path / "run"
    train.main(options(run, base=name, units="characters", steps=2, streaming=base == "whisper"))
    export.main(export.Options(run=run, out=tmp_path / "model", name="warm"))
    card = read_card(tmp_path / "model")
    assert card.options["features"] == ("whisper" if base == "whisper" else "samples")
    (clip,) = examples.select([f"{TINY}:1"])
    sound = audio.read(clip.audio, 16_000)
    recognizer = load_recognizer(str(tmp_path / "model"), threads=1)
    network, _ = read_model(run, read_run(run, "recipes.ctc.train"), "best")
    features = torch.from_numpy(features_of(sound.samples, card.options["features"]))[None]
    with torch.no_grad():
        expected, _ = network(features, torch.tensor([features.shape[1]]), torch.tensor(WHOLE))
    np.testing.assert_allclose(recognizer.log_probs([sound.samples])[0], expected[0].numpy(), atol=0.05)


@pytest.mark.parametrize("base", ["whisper", "hub"])
def test_layers_on_a_frozen_encoder_are_trained_on_what_it_keeps_and_exported_with_it(tmp_path, base):
    name = str(smoke.base(tmp_path)) if base == "whisper" else f"hf:{tiny_hubert(tmp_path / 'hubert')}"
    run, encoded = tmp_path / "run", tmp_path / "encoded"
    frozen = {"base": name, "freeze": True, "streaming": False, "encoded": encoded}
    train.main(options(run, units="characters", steps=2, check_every=2, **frozen))
    assert len(list(encoded.glob("*.npy"))) == 8  # six to learn from, as they are changed; two to watch
    export.main(export.Options(run=run, out=tmp_path / "model", name="frozen"))
    card = read_card(tmp_path / "model")
    assert card.options["frame"] == 0.04
    sounds = [audio.read(clip.audio, 16_000).samples for clip in examples.select([f"{TINY}:2"])]
    recognizer = load_recognizer(str(tmp_path / "model"), threads=1)
    network, _ = read_model(run, read_run(run, "recipes.ctc.train"), "best")
    for samples in sounds:
        (found,) = recognizer.log_probs([samples])
        features = torch.from_numpy(features_of(samples, card.options["features"]))[None]
        with torch.no_grad():
            expected, _ = network(features, torch.tensor([features.shape[1]]), torch.tensor(WHOLE))
        np.testing.assert_allclose(found, expected[0].numpy(), atol=0.05)


LETTERS = {"base": "quick", "base_head": True, "units": "letters", "streaming": False}


@pytest.mark.parametrize(
    ("changed", "told"),
    [({}, "--base"), ({"base": "quick"}, "--no-streaming"), (LETTERS, "--subsampling 2")],
)
def test_a_frozen_encoder_is_one_that_is_there_and_sees_all(tmp_path, changed, told):
    with pytest.raises(VoiceError, match=told):
        train.main(options(tmp_path / "run", freeze=True, **changed))
    assert not (tmp_path / "run").exists()


def tiny_hubert(folder: Path) -> Path:
    """A HuBERT of a few thousand weights, as the Hub has them."""
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    config = HubertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    HubertModel(config).save_pretrained(folder)
    return folder


def test_a_model_searches_with_the_language_model_that_went_with_it(smoke_run, tmp_path):
    from recipes.ctc import ngram

    lm = tmp_path / "lm.arpa.gz"
    ngram.main(ngram.Options(manifest=(TINY,), order=2, out=lm))
    out = tmp_path / "model"
    export.main(export.Options(run=smoke_run, out=out, name="tiny", lm=lm, lm_weight=0.3))
    recognizer = load_recognizer(str(out), threads=1)
    assert isinstance(recognizer, OnnxCTCRecognizer) and recognizer.language_model.order == 2
    rows = list(evaluate.rows(evaluate.Options(model=str(out), manifest=(TINY,), threads=1)))
    assert [row.system.split(",")[0] for row in rows] == ["best path", "beam 16", "beam 16"]
    assert rows[2].characters < 0.05


def test_evaluation_names_what_it_cannot_score(tmp_path):
    with pytest.raises(ModelError, match="no CTC recognizer"):
        list(evaluate.rows(evaluate.Options(model=str(smoke.base(tmp_path)), manifest=(TINY,))))


def test_a_whole_recording_goes_through_the_pipeline(model):
    from voice.simple import detector

    samples = np.concatenate(
        [np.pad(audio.read(clip.audio, 16_000).samples, 16_000) for clip in examples.select([f"{TINY}:2"])]
    )
    transcript = Transcriber(load_recognizer(str(model), threads=1), detector()).transcribe([samples])
    times = [time for word in transcript.words for time in (word.start, word.end)]
    assert times == sorted(times) and len(times) > 10  # what it writes is no matter: it never heard a pause
    assert 0.5 < times[0] and times[-1] <= transcript.duration == pytest.approx(len(samples) / 16_000)


def test_two_processes_learn_what_one_learns(tmp_path):
    plain = dataclasses.replace(SMALL, dropout=0.1)
    chosen = options(tmp_path, size=plain, steps=2, check_every=2, batch_seconds=5.0)
    assert_two_processes_learn_what_one_learns("recipes.ctc.train", chosen, tmp_path, weights="model")


LOWER = {"base_head": True, "units": "letters", "writing": "lower"}


@pytest.mark.parametrize("changed", [{"base_head": True}, {"language": "de"}, LOWER])
def test_options_that_contradict_each_other_are_refused(tmp_path, changed):
    with pytest.raises(VoiceError, match="--writing"):
        train.main(options(tmp_path / "run", **changed))
    assert not (tmp_path / "run").exists()


def test_a_dry_run_says_what_a_run_takes_and_writes_nothing(tmp_path, capsys):
    scale = ScaleOptions(dry_run=8)
    chosen = options(tmp_path / "run", scale=scale, hours=960.0, batch_seconds=400.0, steps=30_000)
    train.main(chosen)
    told = capsys.readouterr().out
    assert "960.0 hours, on 8 devices" in told and "1,137 an epoch" in told
    assert not (tmp_path / "run").exists()


def test_clips_without_a_transcript_are_told(tmp_path):
    with pytest.raises(VoiceError):
        train.main(options(tmp_path, manifest=(str(CHECKOUT / "nothing.jsonl"),)))
