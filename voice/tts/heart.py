"""The voice `heart`: hibari's network, with the duration of every phoneme made one of its outputs.

The network predicts, from phonemes, a spectrum in frames of 12.5 ms and F0 per frame; hibari's DSP
turns those into a waveform. Durations are counted inside it in frames of 25 ms.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voice.errors import ModelDamaged, ModelMissing
from voice.text.phonemes import alphabet
from voice.types import Audio, Controls, Speech, Word

if TYPE_CHECKING:
    from voice.text.frontend import Reading

RATE = 24000
HOP = 300  # samples a frame
_DURATIONS = "/Cast_32_output_0"  # (L,) int64: frames of 2 × HOP samples a phoneme, pads included
# Durations are rounded to 25 ms, at least one a phoneme, so the network falls short of what it is
# asked for; measured on a few sentences.
_ASKED = (0.4, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5)
_REACHED = (0.4, 0.5, 0.73, 1.0, 1.14, 1.57, 1.65, 1.82, 1.95, 2.02)
_INSTALL = "pip install hibari-tts==0.2.1"


class Utterance(NamedTuple):
    """What the network makes of phonemes.

    `samples` (F × HOP,) float32; `durations` (L + 2,) int64 frames of HOP samples: the pad before,
    each of the L phoneme characters, the pad after; they sum to F. `f0` (F,) float32 Hz, near 0
    where unvoiced.
    """

    samples: np.ndarray
    durations: np.ndarray
    f0: np.ndarray


class Heart:
    """An engine for `voice.tts.voice.Voice`; deterministic, and safe to share between threads."""

    rate = RATE

    def __init__(self, model: bytes, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                _with_output(model, _DURATIONS), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own exceptions have no common base of their own
            raise ModelDamaged(f"heart's network is not the one this version knows; {_INSTALL}") from error

    @classmethod
    def open(cls, folder: Path | None = None, threads: int | None = None) -> Heart:
        """The voice in `folder` (one that holds hibari.onnx), else in the hibari package."""
        path = (
            Path(folder) if folder and (Path(folder) / "hibari.onnx").exists() else _package()
        ) / "hibari.onnx"
        if not path.exists():
            raise ModelMissing(f"{path} is missing; {_INSTALL}")
        return cls(path.read_bytes(), threads or 1)

    def render(self, reading: Reading, controls: Controls = Controls()) -> Speech:
        """A sentence as speech, its written words timed by the durations of their phonemes."""
        made = self.render_phonemes(reading.phonemes, controls.speed)
        words = timed_words(reading, made.durations * (HOP / RATE))
        return Speech(Audio(made.samples, RATE), reading.text, words)

    def render_phonemes(self, phonemes: str, speed: float = 1.0, seed: int = 0) -> Utterance:
        """Speak `phonemes` (characters of the shared alphabet); `seed` draws the noise in breath."""
        from hibari import dsp

        ids = alphabet()
        inputs = {
            "ids": np.array([[0, *(ids[c] for c in phonemes), 0]], np.int64),
            "speed": np.array([np.interp(speed, _REACHED, _ASKED)], np.float32),
        }
        harmonic, angle, noise, residual, phase, f0, durations = self._session.run(None, inputs)
        samples = dsp.synth(
            harmonic[0], angle[0], noise[0], residual[0], phase[0], f0[0], np.random.default_rng(seed)
        )
        return Utterance(np.clip(samples, -1.0, 1.0), durations * 2, f0[0])


def timed_words(reading: Reading, seconds: np.ndarray) -> tuple[Word, ...]:
    """The words of `reading` with times, from the seconds (L + 2,) that each of its L phonemes
    takes and the silence before and after takes."""
    ends = np.cumsum(seconds)
    owners = np.array(reading.owners)
    words = []
    for index, word in enumerate(reading.words):
        places = np.flatnonzero(owners == index)
        words.append(Word(word.text, float(ends[places[0]]), float(ends[places[-1] + 1])))
    return tuple(words)


def _package() -> Path:
    from importlib.util import find_spec

    spec = find_spec("hibari")
    if spec is None:
        raise ModelMissing(f"the voice heart needs its package; {_INSTALL}")
    return Path(spec.origin).parent / "assets"


def _with_output(model: bytes, tensor: str) -> bytes:
    """`model` (a serialized ONNX ModelProto) with `tensor` among its graph's outputs.

    Protocol buffers that follow one another are merged and their lists joined, so a second ModelProto
    that holds only that output is appended: no parsing, no other library.
    """
    value = _field(1, tensor.encode())  # ValueInfoProto.name
    return model + _field(7, _field(12, value))  # ModelProto.graph, GraphProto.output


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field; `content` is short enough for one byte of length."""
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content
