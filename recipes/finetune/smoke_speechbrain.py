"""A small network of speechbrain with random weights, as EncoderASR opens it."""

from __future__ import annotations

from pathlib import Path

import torch

from voice.models.hub.folders import HYPERPARAMETERS

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
SIZES = """
sample_rate: 16000
blank_index: 0
normalize: !new:speechbrain.processing.features.InputNormalization
  norm_type: sentence
features: !new:speechbrain.lobes.features.Fbank
  sample_rate: !ref <sample_rate>
  n_fft: 400
  n_mels: 40
crdnn: !new:speechbrain.lobes.models.CRDNN.CRDNN
  input_shape: [null, null, 40]
  cnn_blocks: 1
  cnn_channels: [8]
  cnn_kernelsize: [3, 3]
  inter_layer_pooling_size: [2]
  time_pooling: True
  time_pooling_size: 2
  using_2d_pooling: False
  rnn_layers: 1
  rnn_neurons: 48
  rnn_bidirectional: True
  dnn_blocks: 1
  dnn_neurons: 64
  dropout: 0.0
ctc_lin: !new:speechbrain.nnet.linear.Linear
  input_size: 64
  n_neurons: COUNT
log_softmax: !new:speechbrain.nnet.activations.Softmax
  apply_log: True
asr_model: !new:torch.nn.ModuleList
  - [!ref <crdnn>, !ref <ctc_lin>]
encoder: !new:speechbrain.nnet.containers.LengthsCapableSequential
  input_shape: [null, null]
  features: !ref <features>
  normalize: !ref <normalize>
  crdnn: !ref <crdnn>
  ctc_lin: !ref <ctc_lin>
  log_softmax: !ref <log_softmax>
tokenizer: !new:speechbrain.dataio.encoder.CTCTextEncoder
modules:
  encoder: !ref <encoder>
decoding_function: !name:speechbrain.decoders.ctc_greedy_decode
  blank_id: !ref <blank_index>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
  loadables:
    asr: !ref <asr_model>
    tokenizer: !ref <tokenizer>
"""


def write_speechbrain(folder: Path) -> None:
    """Write a convolutional and recurrent encoder of speechbrain with letters, as EncoderASR opens it."""
    from hyperpyyaml import load_hyperpyyaml
    from speechbrain.dataio.encoder import CTCTextEncoder

    folder.mkdir(parents=True)
    (folder / HYPERPARAMETERS).write_text(SIZES.replace("COUNT", str(2 + len(LETTERS))))
    encoder = CTCTextEncoder()
    encoder.insert_blank(index=0)
    encoder.update_from_iterable(" " + LETTERS, sequence_input=False)
    encoder.save(str(folder / "tokenizer.ckpt"))
    with (folder / HYPERPARAMETERS).open() as file:
        parts = load_hyperpyyaml(file)
    torch.save(parts["asr_model"].state_dict(), folder / "asr.ckpt")
