from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from recipes.asr import model as whisper
from recipes.asr import smoke
from recipes.asr.scoring import runtime_weights
from recipes.asr.tokenizer import TrainingTokenizer
from voice import audio
from voice.asr.whisper.windows import WINDOW_SAMPLES, features
from voice.errors import VoiceError
from voice.models.ct2 import read_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return smoke.base(tmp_path_factory.mktemp("tiny"))


def same(one, other) -> bool:
    return list(one.tensors) == list(other.tensors) and all(
        np.array_equal(one.tensors[n], other.tensors[n]) and one.tensors[n].dtype == other.tensors[n].dtype
        for n in one.tensors
    )


def test_a_tiny_model_goes_to_torch_and_back_unchanged(tiny):
    source = read_model(tiny / "model.bin")
    assert same(whisper.to_ct2(whisper.from_ct2(source)), source)


def test_whisper_base_goes_to_torch_and_back_unchanged(whisper_base):
    source = read_model(whisper_base / "model.bin")
    back = whisper.to_ct2(whisper.from_ct2(source))
    assert same(back, source) and (back.spec, back.revision, back.aliases) == (
        source.spec, source.revision, source.aliases,
    )  # fmt: skip


def outputs(folder, samples, prompt, length):
    """Encoder output and the log-probabilities of the first token after the prompt, by both libraries."""
    import ctranslate2

    theirs = ctranslate2.models.Whisper(str(folder), compute_type="float32", intra_threads=1)
    mel = features(samples, length)[None]
    encoded = np.array(theirs.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True))
    view = ctranslate2.StorageView.from_array(encoded)
    result = theirs.generate(
        view, [prompt], beam_size=1, max_length=len(prompt) + 2, return_logits_vocab=True,
        suppress_tokens=None, suppress_blank=False,
    )  # fmt: skip
    model = whisper.load(folder)
    with torch.no_grad():
        mine = whisper.encode(model, torch.from_numpy(mel))
        hidden = whisper.decode(model, mine, torch.tensor([prompt]))
        log_probs = torch.log_softmax(whisper.project(model, hidden[0, -1]), -1)
    given = torch.log_softmax(torch.from_numpy(np.array(result[0].logits[0][0])).float(), -1)
    return encoded, mine.numpy(), given.numpy(), log_probs.numpy()


@pytest.mark.parametrize("seconds", [1.0, 7.31, 30.0])
def test_torch_and_ctranslate2_agree_on_any_length(tiny, seconds):
    samples = 0.1 * np.random.default_rng(0).standard_normal(int(seconds * 16000)).astype(np.float32)
    tokenizer = TrainingTokenizer.open(tiny, "en")
    encoded, mine, given, log_probs = outputs(tiny, samples, list(tokenizer.prompt), len(samples))
    assert np.abs(encoded - mine).max() < 1e-4
    assert np.abs(given - log_probs).max() < 1e-3


def test_torch_and_ctranslate2_agree_on_real_speech(whisper_base, corpora):
    samples = audio.read(next((corpora / "librispeech/test").glob("*.flac")), 16000).samples
    tokenizer = TrainingTokenizer.open(whisper_base, "en")
    encoded, mine, given, log_probs = outputs(whisper_base, samples, list(tokenizer.prompt), WINDOW_SAMPLES)
    assert np.abs(encoded - mine).max() < 2e-3  # the values reach 24
    assert given.argmax() == log_probs.argmax()
    likely = given > -12
    assert np.abs(given - log_probs)[likely].max() < 2e-2


def test_low_rank_changes_nothing_before_it_has_learned(tiny):
    model, mel = whisper.load(tiny), torch.randn(1, 80, 100)
    with torch.no_grad():
        before = whisper.encode(model, mel)
        whisper.add_low_rank(model, 2)
        assert torch.equal(whisper.encode(model, mel), before)
    assert same(runtime_weights(model, tiny), read_model(tiny / "model.bin"))


def test_the_merged_model_is_the_one_that_was_trained(tiny, tmp_path):
    model = whisper.load(tiny)
    whisper.add_low_rank(model, 2)
    torch.manual_seed(1)
    for layer in whisper.low_ranks(model).values():
        torch.nn.init.normal_(layer.lora_B["default"].weight, std=0.3)
    plain = whisper.from_ct2(runtime_weights(model, tiny))
    mel, tokens = torch.randn(1, 80, 100), torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        ours = whisper.decode(model, whisper.encode(model, mel), tokens)
        theirs = whisper.decode(plain, whisper.encode(plain, mel), tokens)
        untuned = whisper.load(tiny)
        before = whisper.decode(untuned, whisper.encode(untuned, mel), tokens)
    assert (ours - theirs).abs().max() < 2e-2  # float16 weights
    assert (ours - before).abs().max() > 0.2


def test_the_start_token_predicts_the_language_and_the_prompt_the_first_token(tiny):
    tokenizer = TrainingTokenizer.open(tiny, "en")
    places = torch.arange(7.0).reshape(1, 7, 1)  # a prompt of four, and three tokens of text
    assert tokenizer.predicting(places).flatten().tolist() == [0, 3, 4, 5, 6]


def test_a_recognizer_of_english_alone_has_its_own_prompt(tiny, monkeypatch):
    from recipes.asr import tokenizer

    monkeypatch.setattr(tokenizer, "vocabulary_size", lambda folder: tokenizer.ENGLISH_ONLY)
    english = TrainingTokenizer.open(tiny, "en")
    assert len(english.prompt) == 2 and not english.is_multilingual
    with pytest.raises(VoiceError, match="English alone"):
        TrainingTokenizer.open(tiny, "de")


def test_a_time_is_a_token_after_no_times(tiny):
    tokenizer = TrainingTokenizer.open(tiny, "en")
    assert tokenizer.time(0.0) == tokenizer.prompt[-1] + 1 and tokenizer.time(1.0) == tokenizer.time(0.0) + 50
