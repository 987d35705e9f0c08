"""The voice `heart`: hibari's network, with durations and pitch that can be asked for.

The network predicts, from phonemes, a spectrum in frames of 12.5 ms and F0 per frame; hibari's DSP
turns those into a waveform. Inside, durations are counted in frames of 25 ms. Plain speech comes from
the network as it is. For other speech, questions that rise among it, durations are given to the network,
and the F0 that its decoder sees is moved.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.errors import ModelDamaged, ModelMissing
from voice.models.sessions import session_of
from voice.text.alphabet import without_final_marks
from voice.text.english.pronunciation import alphabet
from voice.text.reading import SpokenSentence
from voice.tts import onnx_edit
from voice.tts.engine import Utterance, speech_of
from voice.tts.melody import VOICED, melody, scale_f0
from voice.tts.prosody_targets import (
    ProsodyTargets,
    apply_level,
    per_frame,
    pitch_shift,
    prosody_targets,
    target_durations,
)
from voice.types import Controls, Samples, Speech

RATE = 24000
HOP = 300  # samples a frame
SPAN = 2  # frames that the network counts as one
AHEAD = 4  # frames (50 ms) by which phonemes are heard before the durations that the network counts
# Tensors of the network.
_DURATIONS = "/Cast_32_output_0"  # (L,) int64: frames of SPAN × HOP samples a phoneme, pads included
_LENGTHS = "/Sub_output_0"  # (L,) the same before rounding, at speed 1
_DECODER_F0 = "/Relu_output_0"  # (1, F) the F0 that the decoder sees
_INSTALL = "pip install hibari-tts==0.2.1"

Frames = NDArray[np.int64]
Inputs = dict[str, np.ndarray]


class Heart:
    """An engine for `voice.tts.voice.Voice`; deterministic, and safe to share between threads."""

    rate = RATE

    def __init__(self, model: bytes, threads: int = 1) -> None:
        self._session = _open_session(onnx_edit.with_outputs(model, _DURATIONS, _LENGTHS), threads)
        guided = onnx_edit.with_input(model, _DURATIONS, onnx_edit.INT64, ("L",))
        guided = onnx_edit.with_input(guided, _DECODER_F0, onnx_edit.FLOAT, (1, "F"))
        self._guided = _open_session(guided, threads)

    @classmethod
    def open(cls, folder: Path | None = None, threads: int | None = None) -> Heart:
        """Open the voice in `folder` (one that holds hibari.onnx), else in the hibari package."""
        path = (
            Path(folder) if folder and (Path(folder) / "hibari.onnx").exists() else package()
        ) / "hibari.onnx"
        if not path.exists():
            raise ModelMissing(f"{path} is missing; {_INSTALL}")
        return cls(path.read_bytes(), threads or 1)

    def render(self, reading: SpokenSentence, controls: Controls = Controls()) -> Speech:
        """Return a sentence as speech, its written words timed by the durations of their phonemes."""
        utterance = self.render_phonemes(reading.phonemes, prosody_targets(reading, controls))
        return speech_of(reading, utterance, HOP, RATE)

    def render_phonemes(
        self, phonemes: str, targets: ProsodyTargets | None = None, seed: int = 0
    ) -> Utterance:
        """Speak `phonemes` (characters of the shared alphabet); `seed` draws the noise in breath."""
        ids = alphabet()
        inputs: Inputs = {
            "ids": np.array([[0, *(ids[c] for c in phonemes), 0]], np.int64),
            "speed": np.ones(1, np.float32),
        }
        *spectrum, counted, lengths = self._session.run(None, inputs)
        f0 = spectrum[-1][0]
        if targets is None:
            samples = _synthesize(spectrum, f0, seed)
            return Utterance(np.clip(samples, -1.0, 1.0), _audible_durations(phonemes, counted), f0)
        targets = targets.with_edges()
        inputs[_DURATIONS] = asked = target_durations(
            phonemes, counted, lengths.reshape(-1), targets, SPAN * HOP / RATE
        )
        if np.array_equal(asked, counted):
            samples = _synthesize(spectrum, f0, seed)
        else:
            silent = np.zeros((1, int(asked.sum()) * SPAN), np.float32)
            f0 = _match_median(self._guided.run(None, inputs | {_DECODER_F0: silent})[-1][0], f0)
            samples = self._decode(inputs, f0, seed)
        durations = _audible_durations(phonemes, asked)
        semitones = pitch_shift(targets, durations, melody(f0))
        if semitones is not None:
            samples, f0 = self._shift_pitch(inputs, f0, semitones, samples, seed)
        samples = apply_level(samples, per_frame(targets.energy, durations), HOP)
        return Utterance(np.clip(samples, -1.0, 1.0), durations, f0)

    def _shift_pitch(
        self, inputs: Inputs, f0: np.ndarray, semitones: np.ndarray, unshifted: Samples, seed: int
    ) -> tuple[Samples, np.ndarray]:
        """Return (F × HOP,) samples and (F,) Hz with `f0` moved, as loud as the `unshifted` samples are."""
        f0 = scale_f0(f0, 2 ** (semitones / 12))
        shifted = self._decode(inputs, f0, seed)
        return shifted * (
            _root_mean_square(unshifted) / max(_root_mean_square(shifted), np.float32(1e-6))
        ), f0

    def _decode(self, inputs: Inputs, f0: np.ndarray, seed: int) -> Samples:
        """Return the samples that the decoder makes with this F0."""
        spectrum = self._guided.run(None, inputs | {_DECODER_F0: np.maximum(f0, 0.0)[None]})
        return _synthesize(spectrum, f0, seed)


def _open_session(model: bytes, threads: int) -> Any:
    try:
        return session_of(model, threads=threads)
    except Exception as error:  # onnxruntime's own exceptions have no common base of their own
        raise ModelDamaged(f"heart's network is not the one this version knows; {_INSTALL}") from error


def _synthesize(spectrum: list[np.ndarray], f0: np.ndarray, seed: int) -> Samples:
    """Return the samples of the network's five parts of a spectrum and (F,) Hz."""
    from hibari import dsp

    samples: Samples = dsp.synth(*(part[0] for part in spectrum[:5]), f0, np.random.default_rng(seed))
    return samples


def _audible_durations(phonemes: str, durations: Frames) -> Frames:
    """Turn (L + 2,) durations as the network counts them into frames of HOP samples where they are heard.

    Phonemes are heard AHEAD of where they are counted. The network also gives the last phoneme silence,
    about half of its duration, which goes to the pad after it.
    """
    frames = durations * SPAN
    last = len(without_final_marks(phonemes))
    silent = frames[last] // 2 if last else 0
    ahead = min(AHEAD, int(frames[0]) - 1)
    frames[0] -= ahead
    frames[last] -= silent
    frames[-1] += ahead + silent
    return frames


def _match_median(f0: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return a pitch curve moved to the median of `reference`: durations alone leave the pitch."""
    own, wanted = f0[f0 > VOICED], reference[reference > VOICED]
    return scale_f0(f0, float(np.median(wanted) / np.median(own))) if len(own) and len(wanted) else f0


def _root_mean_square(samples: Samples) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(samples))))


def package() -> Path:
    """Return the folder of hibari's model. Raises ModelMissing without its package."""
    spec = find_spec("hibari")
    if spec is None or spec.origin is None:
        raise ModelMissing(f"the voice heart needs its package; {_INSTALL}")
    return Path(spec.origin).parent / "assets"
