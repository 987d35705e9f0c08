"""Small networks of the real classes with random weights, in folders as their libraries write them.

They know nothing, but everything around them is what it is for a network of the Hub.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from recipes.asr import smoke as whisper
from recipes.finetune.smoke_speechbrain import LETTERS, write_speechbrain
from recipes.finetune.writing import BLANK, DELIMITER, UNKNOWN
from voice.manifest import read_manifest
from voice.tts.hub.speecht5 import VOCODER, VOCODER_SIZES

RATE = 16_000
TIMELESS = "<|notimestamps|>"
TINY = Path(__file__).parents[2] / "data/tiny/train.jsonl"
WIDTH = 64
ENCODER: dict[str, Any] = dict(
    hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
    conv_dim=(32, 64, 64), conv_kernel=(10, 8, 16), conv_stride=(5, 8, 16), num_feat_extract_layers=3,
    num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, do_stable_layer_norm=True,
    feat_extract_norm="layer",
    hidden_dropout=0.0, attention_dropout=0.0, feat_proj_dropout=0.0, final_dropout=0.0, layerdrop=0.0,
    activation_dropout=0.0,
)  # fmt: skip


def base(name: str, out: Path) -> Path:
    """Return the folder of a small network inside `out`, made once. `name` is one of NETWORKS."""
    folder = out / "base"
    if not folder.exists():
        state = torch.get_rng_state()
        torch.manual_seed(0)
        NETWORKS[name](folder)
        torch.set_rng_state(state)
    return folder


def _wav2vec2(folder: Path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    _with_letters(folder, Wav2Vec2ForCTC, Wav2Vec2Config)


def _hubert(folder: Path) -> None:
    from transformers import HubertConfig, HubertForCTC

    _with_letters(folder, HubertForCTC, HubertConfig)


def _wavlm(folder: Path) -> None:
    from transformers import WavLMConfig, WavLMForCTC

    _with_letters(folder, WavLMForCTC, WavLMConfig)


def _write_pretrained(folder: Path) -> None:
    """Write an encoder of wav2vec 2.0 that has no last layer and no vocabulary yet."""
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    Wav2Vec2Model(Wav2Vec2Config(**ENCODER)).save_pretrained(folder)
    _waveforms().save_pretrained(folder)


def _with_letters(folder: Path, network: Any, config: Any) -> None:
    """Write a network whose classes are letters, its extractor and its tokenizer."""
    from transformers import Wav2Vec2CTCTokenizer

    pieces = [BLANK, UNKNOWN, DELIMITER, *LETTERS]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({piece: index for index, piece in enumerate(pieces)}))
    tokenizer = Wav2Vec2CTCTokenizer(
        str(folder / "vocab.json"), pad_token=BLANK, unk_token=UNKNOWN, bos_token=None, eos_token=None
    )
    network(config(**ENCODER, vocab_size=len(pieces), pad_token_id=0)).save_pretrained(folder)
    _waveforms().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _waveforms() -> Any:
    from transformers import Wav2Vec2FeatureExtractor

    return Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=True, return_attention_mask=True)


def _parakeet(folder: Path) -> None:
    """Write a FastConformer whose classes are pieces as SentencePiece writes them, the blank the last."""
    from transformers import ParakeetCTCConfig, ParakeetFeatureExtractor, ParakeetForCTC, ParakeetTokenizer

    pieces = [UNKNOWN, "▁", *LETTERS, *(f"▁{letter}" for letter in LETTERS), BLANK]
    tokenizer = ParakeetTokenizer(
        tokenizer_object=_unigram(pieces),
        pad_token=BLANK,
        unk_token=UNKNOWN,
        clean_up_tokenization_spaces=False,
    )
    encoder = dict(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
        subsampling_conv_channels=16, subsampling_factor=4, conv_kernel_size=5, num_mel_bins=80,
        dropout=0.0, activation_dropout=0.0, attention_dropout=0.0, layerdrop=0.0,
    )  # fmt: skip
    config = ParakeetCTCConfig(vocab_size=len(pieces), pad_token_id=len(pieces) - 1, encoder_config=encoder)
    ParakeetForCTC(config).save_pretrained(folder)
    ParakeetFeatureExtractor(sampling_rate=RATE).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _unigram(pieces: Sequence[str]) -> Any:
    """Return a tokenizer of these pieces: each word begins with ▁, long pieces before short ones."""
    scores = [(piece, -1.0 - 0.1 * (len(piece) == 1)) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def _whisper(folder: Path, bands: int = 80) -> None:
    """Write a Whisper whose tokens are the words of data/tiny, pieces of them, and bytes."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    tokenizer = _words_tokenizer([clip.text or "" for clip in read_manifest(TINY)])
    token = tokenizer.convert_tokens_to_ids
    end, start = token("<|endoftext|>"), token("<|startoftranscript|>")
    config = WhisperConfig(
        vocab_size=len(tokenizer), d_model=WIDTH, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=128, decoder_ffn_dim=128,
        num_mel_bins=bands, init_std=0.1,
        pad_token_id=end, bos_token_id=end, eos_token_id=end, decoder_start_token_id=start,
    )  # fmt: skip
    network = WhisperForConditionalGeneration(config)
    network.generation_config.update(
        is_multilingual=True, lang_to_id={"<|en|>": token("<|en|>")}, alignment_heads=[[0, 0]],
        no_timestamps_token_id=token(TIMELESS), suppress_tokens=[], begin_suppress_tokens=[],
    )  # fmt: skip
    network.generation_config._from_model_config = False
    network.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=bands).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _words_tokenizer(texts: Sequence[str]) -> Any:
    """Return a tokenizer of the words of texts, with Whisper's special tokens and times after them."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        [f" {text}" for text in texts],
        trainers.BpeTrainer(vocab_size=1000, initial_alphabet=alphabet, show_progress=False),
    )
    special = [token for token in whisper.SPECIAL if token != "<|0.00|>"]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens([f"<|{step / 50:.2f}|>" for step in range(1501)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, additional_special_tokens=special,
        eos_token="<|endoftext|>", bos_token="<|endoftext|>", unk_token="<|endoftext|>",
    )  # fmt: skip


def _moonshine(folder: Path) -> None:
    from transformers import MoonshineConfig, MoonshineForConditionalGeneration, PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    tokens = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    config = MoonshineConfig(
        vocab_size=len(tokens), hidden_size=WIDTH, intermediate_size=128, encoder_num_hidden_layers=2,
        decoder_num_hidden_layers=2, encoder_num_attention_heads=2, decoder_num_attention_heads=2,
    )  # fmt: skip
    MoonshineForConditionalGeneration(config).save_pretrained(folder)
    _waveforms().save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=byte_level(tokens, special), unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)


def byte_level(tokens: Sequence[str], special: Sequence[str]) -> Any:
    """Return a tokenizer of single bytes and of what is special."""
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def _speecht5(folder: Path) -> None:
    """Write a SpeechT5 whose tokens are letters, and beside it a small HiFi-GAN."""
    from safetensors.torch import save
    from transformers import (
        SpeechT5Config,
        SpeechT5FeatureExtractor,
        SpeechT5ForTextToSpeech,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
        SpeechT5Tokenizer,
    )  # fmt: skip

    tokenizer = SpeechT5Tokenizer(str(letters_of_sentencepiece(folder)))
    config = SpeechT5Config(
        vocab_size=len(tokenizer), hidden_size=WIDTH, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=128, decoder_ffn_dim=128,
        speech_decoder_prenet_units=32, speech_decoder_postnet_units=32, speech_decoder_postnet_layers=2,
        speech_decoder_prenet_dropout=0.0, speech_decoder_postnet_dropout=0.0, hidden_dropout=0.0,
        attention_dropout=0.0, activation_dropout=0.0, positional_dropout=0.0, encoder_layerdrop=0.0,
        decoder_layerdrop=0.0, guided_attention_loss_num_heads=2,
    )  # fmt: skip
    SpeechT5ForTextToSpeech(config).save_pretrained(folder)
    SpeechT5FeatureExtractor(sampling_rate=RATE).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    sizes = SpeechT5HifiGanConfig(upsample_initial_channel=32, resblock_kernel_sizes=[3], sampling_rate=RATE,
                                  resblock_dilation_sizes=[[1, 3, 5]], initializer_range=0.2)  # fmt: skip
    weights = SpeechT5HifiGan(sizes).state_dict()
    (folder / VOCODER).write_bytes(save({name: each.contiguous() for name, each in weights.items()}))
    sizes.to_json_file(folder / VOCODER_SIZES)


def letters_of_sentencepiece(folder: Path) -> Path:
    """Write a model of SentencePiece that cuts text into letters; returns its file."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    sentence = " ".join(LETTERS) + " . , ? !"
    path = folder / "spm_char.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([sentence, sentence.upper()] * 4), model_writer=file, model_type="char",
            vocab_size=4 + len(set(sentence + sentence.upper())), hard_vocab_limit=False, minloglevel=2,
            bos_id=0, pad_id=1, eos_id=2, unk_id=3,
        )  # fmt: skip
    return path


NETWORKS: dict[str, Callable[[Path], None]] = {
    "wav2vec2": _wav2vec2,
    "wav2vec2-pretrained": _write_pretrained,
    "hubert": _hubert,
    "wavlm": _wavlm,
    "parakeet": _parakeet,
    "whisper": _whisper,
    "whisper-128": partial(_whisper, bands=128),
    "moonshine": _moonshine,
    "speecht5": _speecht5,
    "speechbrain": write_speechbrain,
}
