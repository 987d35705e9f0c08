"""A Whisper of a few thousand weights that knows nothing, so that a recipe runs whole in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import WhisperConfig, WhisperForConditionalGeneration

from recipes.asr import model as whisper
from voice.features import WHISPER_BANDS
from voice.models.ct2 import write_model

SPECIAL = [f"<|{name}|>" for name in ("endoftext", "startoftranscript", "en", "translate", "transcribe")]
SPECIAL += [f"<|{name}|>" for name in ("startofprev", "nospeech", "notimestamps", "0.00")]


def base(out: Path, bands: int = WHISPER_BANDS) -> Path:
    """Return a tiny random model's folder inside `out`, of byte tokens and so many mel bands; made once."""
    folder = out / "base"
    if not (folder / "model.bin").exists():
        folder.mkdir(parents=True, exist_ok=True)
        tokens = sorted(pre_tokenizers.ByteLevel.alphabet()) + SPECIAL
        _tokenizer(tokens).save(str(folder / "tokenizer.json"))
        (folder / "vocabulary.json").write_text(json.dumps(tokens))
        settings = {"suppress_ids": [], "suppress_ids_begin": [], "lang_ids": [tokens.index("<|en|>")]}
        (folder / "config.json").write_text(json.dumps({**settings, "alignment_heads": [[0, 0]]}))
        write_model(folder / "model.bin", whisper.to_ct2(_network(len(tokens), bands)))
    return folder


def _tokenizer(tokens: list[str]) -> Tokenizer:
    """Return a tokenizer of single bytes and of what is special."""
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def _network(vocabulary: int, bands: int) -> WhisperForConditionalGeneration:
    """Return random weights, the same each time."""
    config = WhisperConfig(
        vocab_size=vocabulary, num_mel_bins=bands, d_model=32, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0,
    )  # fmt: skip
    generator_state = torch.get_rng_state()
    torch.manual_seed(0)
    network = WhisperForConditionalGeneration(config)
    torch.set_rng_state(generator_state)
    return network.eval()
