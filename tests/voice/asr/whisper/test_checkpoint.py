"""Folders of Whisper other than whisper-base: large-v3's shape, and those that say little of themselves."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch", reason="training is not installed; pip install '.[train]'")
pytest.importorskip("transformers", reason="training is not installed; pip install '.[train]'")

from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from voice.asr.whisper.decoding import DecodingOptions
from voice.asr.whisper.recognizer import Whisper
from voice.asr.whisper.tokenizer import language_tokens, open_tokenizer
from voice.cli import app
from voice.models.ct2 import write_model
from voice.types import Audio

BELIEVING = DecodingOptions(
    logprob_threshold=-99,
    silence_logprob_threshold=-99,
    no_speech_logprob_threshold=-99,
    brief_logprob_threshold=-99,
    min_quiet_confidence=0,
    min_confidence=0,
    compression_ratio_threshold=1e9,
)
SPEECH = Audio(np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32), 16_000)


def special(languages: list[str]) -> list[str]:
    names = ["endoftext", "startoftranscript", *languages, "translate", "transcribe", "startoflm"]
    names += ["startofprev", "nospeech", "notimestamps", *(f"{0.02 * n:.2f}" for n in range(1501))]
    return [f"<|{name}|>" for name in names]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random model with large-v3's 128 bands, 100 languages and 51866 tokens."""
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    from recipes.asr.model import to_ct2

    folder = tmp_path_factory.mktemp("large-v3")
    written = sorted(pre_tokenizers.ByteLevel.alphabet())
    written += [f"Ġw{number}" for number in range(50_256 - len(written))] + [""]  # as in Whisper's own
    others = sorted({*_LANGUAGE_CODES} - {"en", "yue"})
    tokens = written + special(["en", *others, "yue"])
    assert len(tokens) == 51_866
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special(["en", *others, "yue"]))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocabulary.json").write_text(json.dumps(tokens))
    shape = dict(d_model=64, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=64, decoder_ffn_dim=64)
    heads = dict(encoder_attention_heads=2, decoder_attention_heads=2)
    torch.manual_seed(0)
    config = WhisperConfig(num_mel_bins=128, vocab_size=len(tokens), **shape, **heads, pad_token_id=0)
    write_model(folder / "model.bin", to_ct2(WhisperForConditionalGeneration(config).eval()))
    return folder


def with_config(folder: Path, tmp_path: Path, config: dict | None) -> Path:
    """The same model with another `config.json`, or none."""
    for file in folder.iterdir():
        if file.name != "config.json":
            (tmp_path / file.name).symlink_to(file)
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_model_with_128_bands_is_shown_128_bands(large: Path) -> None:
    recognizer = Whisper.open(large, threads=1, options=BELIEVING)
    assert recognizer.encode(SPEECH).shape == (1500, 64)
    heard = recognizer.transcribe(SPEECH, language="Cantonese")
    assert heard.language == "yue" and heard.words


def test_a_model_with_128_bands_runs_from_the_command(large: Path, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((SPEECH.samples * 32767).astype("<i2").tobytes())
    done = CliRunner().invoke(app, ["transcribe", str(tmp_path / "a.wav"), "--model", str(large)])
    assert done.exit_code == 0, done.output


def test_tokens_are_where_the_tokenizer_has_them(large: Path, whisper_base: Path) -> None:
    tokens = language_tokens(open_tokenizer(large))
    assert len(tokens) == 100 and tokens["yue"] == 50_358
    tokenizer = Whisper.open(large, threads=1)._tokenizer
    assert tokenizer.start_sequence("yue", "translate") == [50_258, 50_358, 50_359]
    assert (tokenizer.no_speech, tokenizer.without_times) == (50_363, 50_364)
    assert len(language_tokens(open_tokenizer(whisper_base))) == 99


@pytest.mark.parametrize(
    "config",
    [None, {}, {"lang_ids": [], "alignment_heads": [], "suppress_ids": None, "suppress_ids_begin": [220]}],
)
def test_what_a_folder_does_not_say_of_itself_is_found_out(
    large: Path, tmp_path: Path, config: dict | None
) -> None:
    recognizer = Whisper.open(with_config(large, tmp_path, config), threads=1, options=BELIEVING)
    heard = recognizer.transcribe(SPEECH)
    assert heard.language in recognizer.languages and len(recognizer.languages) == 100
    assert heard.words[-1].end > 0.0


def test_what_a_folder_says_of_itself_holds(large: Path, tmp_path: Path) -> None:
    only = {"lang_ids": [50_300], "alignment_heads": [[1, 0]], "suppress_ids": [], "suppress_ids_begin": []}
    recognizer = Whisper.open(with_config(large, tmp_path, only), threads=1, options=BELIEVING)
    spoken = {number: code for code, number in language_tokens(open_tokenizer(large)).items()}
    assert recognizer.transcribe(SPEECH).language == spoken[50_300]
