"""Small voices of the real classes with random weights, in folders as their libraries write them."""

from __future__ import annotations

import json
from pathlib import Path

import torch

LETTERS = "abcdefghijklmnopqrstuvwxyz' "


def vits(folder: Path, **options: object) -> Path:
    """A VITS that reads letters, as the voices of Massively Multilingual Speech do."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    torch.manual_seed(0)
    pieces = ["_", *LETTERS, "<unk>"]
    config = VitsConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=32,
        flow_size=16, spectrogram_bins=33, wavenet_dilation_rate=1, prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=1, posterior_encoder_num_wavenet_layers=1,
        duration_predictor_num_flows=2, upsample_initial_channel=32,
        upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], sampling_rate=16_000,
        depth_separable_num_layers=1, duration_predictor_filter_channels=16,
    )  # fmt: skip
    VitsModel(config).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({piece: index for index, piece in enumerate(pieces)}))
    settings = {"pad_token": "_", "unk_token": "<unk>", "phonemize": False, "language": "eng"}
    VitsTokenizer(str(folder / "vocab.json"), **settings | options).save_pretrained(folder)
    return folder


TACOTRON2 = """
sample_rate: 22050
text_cleaners: ["basic_cleaners"]
model: !new:speechbrain.lobes.models.Tacotron2.Tacotron2
  mask_padding: True
  n_mel_channels: 80
  n_symbols: 148
  symbols_embedding_dim: 16
  encoder_kernel_size: 5
  encoder_n_convolutions: 1
  encoder_embedding_dim: 16
  attention_rnn_dim: 16
  attention_dim: 8
  attention_location_n_filters: 4
  attention_location_kernel_size: 5
  n_frames_per_step: 1
  decoder_rnn_dim: 16
  prenet_dim: 16
  max_decoder_steps: 40
  gate_threshold: 0.5
  p_attention_dropout: 0.1
  p_decoder_dropout: 0.1
  postnet_embedding_dim: 16
  postnet_kernel_size: 5
  postnet_n_convolutions: 2
  decoder_no_early_stopping: False
text_to_sequence: !name:speechbrain.utils.text_to_sequence.text_to_sequence
modules:
  model: !ref <model>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
  loadables:
    model: !ref <model>
"""
HIFIGAN = """
sample_rate: 22050
generator: !new:speechbrain.lobes.models.HifiGAN.HifiganGenerator
  in_channels: 80
  out_channels: 1
  resblock_type: "1"
  resblock_dilation_sizes: [[1, 3, 5]]
  resblock_kernel_sizes: [3]
  upsample_kernel_sizes: [16, 16, 4, 4]
  upsample_initial_channel: 32
  upsample_factors: [8, 8, 2, 2]
modules:
  generator: !ref <generator>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
  loadables:
    generator: !ref <generator>
"""


def tacotron2(folder: Path) -> Path:
    """A Tacotron 2 of speechbrain with its HiFi-GAN in the folder `vocoder` beside it."""
    _speechbrain(folder, TACOTRON2, "model")
    _speechbrain(folder / "vocoder", HIFIGAN, "generator")
    return folder


def _speechbrain(folder: Path, hyperparameters: str, name: str) -> None:
    from hyperpyyaml import load_hyperpyyaml

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    (folder / "hyperparams.yaml").write_text(hyperparameters)
    parts = load_hyperpyyaml(hyperparameters)
    torch.save(parts[name].state_dict(), folder / f"{name}.ckpt")
