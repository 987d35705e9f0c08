"""The voice `heart`: hibari's network, with durations and pitch that can be asked for.

The network predicts, from phonemes, a spectrum in frames of 12.5 ms and F0 per frame; hibari's DSP
turns those into a waveform. Durations are counted inside it in frames of 25 ms. Plain speech comes from
the network as it is; for other speech, questions that rise among it, its durations are given, and the F0 that
its decoder sees is moved.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voice.errors import ModelDamaged, ModelMissing
from voice.models.sessions import session_of
from voice.text.alphabet import MODIFIERS, PUNCTUATION, without_final_marks
from voice.text.english.pronunciation import alphabet
from voice.text.reading import SpokenSentence
from voice.tts import onnx_edit
from voice.tts.engine import Utterance, timed_words
from voice.tts.prosody_targets import (
    ProsodyTargets,
    apply_level,
    per_frame,
    pitch_shift,
    prosody_targets,
    target_lengths,
)
from voice.types import Audio, Controls, Speech

RATE = 24000
HOP = 300  # samples a frame
SPAN = 2  # frames that the network counts as one
AHEAD = 4  # frames (50 ms) by which what is heard comes before the durations that the network counts
VOICED = 40.0  # Hz; hibari's DSP takes what is lower as unvoiced
_DURATIONS = "/Cast_32_output_0"  # (L,) int64: frames of SPAN × HOP samples a phoneme, pads included
_LENGTHS = "/Sub_output_0"  # (L,) the same before rounding, at speed 1
_HEARD = "/Relu_output_0"  # (1, F) the F0 that the decoder sees
_INSTALL = "pip install hibari-tts==0.2.1"


class Heart:
    """An engine for `voice.tts.voice.Voice`; deterministic, and safe to share between threads."""

    rate = RATE

    def __init__(self, model: bytes, threads: int = 1) -> None:
        self._session = _session(onnx_edit.with_outputs(model, _DURATIONS, _LENGTHS), threads)
        guided = onnx_edit.with_input(model, _DURATIONS, onnx_edit.INT64, ("L",))
        self._guided = _session(onnx_edit.with_input(guided, _HEARD, onnx_edit.FLOAT, (1, "F")), threads)

    @classmethod
    def open(cls, folder: Path | None = None, threads: int | None = None) -> Heart:
        """The voice in `folder` (one that holds hibari.onnx), else in the hibari package."""
        path = (
            Path(folder) if folder and (Path(folder) / "hibari.onnx").exists() else package()
        ) / "hibari.onnx"
        if not path.exists():
            raise ModelMissing(f"{path} is missing; {_INSTALL}")
        return cls(path.read_bytes(), threads or 1)

    def render(self, reading: SpokenSentence, controls: Controls = Controls()) -> Speech:
        """A sentence as speech, its written words timed by the durations of their phonemes."""
        made = self.render_phonemes(reading.phonemes, prosody_targets(reading, controls))
        words = timed_words(reading, made.durations * (HOP / RATE))
        return Speech(Audio(made.samples, RATE), reading.text, words)

    def render_phonemes(
        self, phonemes: str, targets: ProsodyTargets | None = None, seed: int = 0
    ) -> Utterance:
        """Speak `phonemes` (characters of the shared alphabet); `seed` draws the noise in breath."""
        ids = alphabet()
        given = {
            "ids": np.array([[0, *(ids[c] for c in phonemes), 0]], np.int64),
            "speed": np.ones(1, np.float32),
        }
        *parts, durations, lengths = self._session.run(None, given)
        f0 = parts[-1][0]
        if targets is None:
            samples = _sounded(parts, f0, seed)
            return Utterance(np.clip(samples, -1.0, 1.0), _heard(phonemes, durations), f0)
        targets = targets.with_edges()
        longer = _whole_frames(phonemes, durations, lengths.reshape(-1), targets)
        given[_DURATIONS] = longer
        if np.array_equal(longer, durations):
            plain = _sounded(parts, f0, seed)
        else:
            silent = np.zeros((1, int(longer.sum()) * SPAN), np.float32)
            f0 = _as_high(self._guided.run(None, given | {_HEARD: silent})[-1][0], f0)
            plain = self._drawn(given, f0, seed)
        heard = _heard(phonemes, longer)
        semitones = pitch_shift(targets, heard, _melody(f0))
        samples, f0 = (plain, f0) if semitones is None else self._moved(given, f0, semitones, plain, seed)
        samples = apply_level(samples, per_frame(targets.energy, heard), HOP)
        return Utterance(np.clip(samples, -1.0, 1.0), heard, f0)

    def _moved(
        self, given: dict, f0: np.ndarray, semitones: np.ndarray, plain: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(F × HOP,) samples and (F,) Hz with `f0` moved, as loud as the `plain` samples are."""
        f0 = _times(f0, 2 ** (semitones / 12))
        moved = self._drawn(given, f0, seed)
        return moved * (_power(plain) / max(_power(moved), 1e-6)), f0

    def _drawn(self, given: dict, f0: np.ndarray, seed: int) -> np.ndarray:
        parts = self._guided.run(None, given | {_HEARD: np.maximum(f0, 0.0)[None]})
        return _sounded(parts, f0, seed)


def _session(model: bytes, threads: int):
    try:
        return session_of(model, threads=threads)
    except Exception as error:  # onnxruntime's own exceptions have no common base of their own
        raise ModelDamaged(f"heart's network is not the one this version knows; {_INSTALL}") from error


def _sounded(parts: list[np.ndarray], f0: np.ndarray, seed: int) -> np.ndarray:
    """The network's five parts of a spectrum and (F,) Hz → samples."""
    from hibari import dsp

    return dsp.synth(*(part[0] for part in parts[:5]), f0, np.random.default_rng(seed))


def _times(f0: np.ndarray, ratio: np.ndarray | float) -> np.ndarray:
    """(F,) Hz, where voiced times `ratio`, and voiced still."""
    return np.where(f0 > VOICED, np.maximum(f0 * ratio, VOICED + 1), f0).astype(np.float32)


def _heard(phonemes: str, durations: np.ndarray) -> np.ndarray:
    """(L + 2,) lengths as the network counts them → frames of HOP samples, where they are heard: AHEAD of
    where they are counted, the last phoneme without the silence that it is given too, about half of it."""
    frames = durations * SPAN
    last = len(without_final_marks(phonemes))
    silent = frames[last] // 2 if last else 0
    ahead = min(AHEAD, int(frames[0]) - 1)
    frames[0] -= ahead
    frames[last] -= silent
    frames[-1] += ahead + silent
    return frames


def _melody(f0: np.ndarray) -> np.ndarray:
    """(F,) Hz → (F,) semitones, lines drawn through what is not voiced."""
    voiced = np.flatnonzero(f0 > VOICED)
    if not len(voiced):
        return np.zeros(len(f0))
    return 12 * np.log2(np.interp(np.arange(len(f0)), voiced, f0[voiced]))


def _as_high(f0: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """A pitch curve moved to the median of another: durations alone leave the pitch."""
    here, there = (each[each > VOICED] for each in (f0, plain))
    return _times(f0, float(np.median(there) / np.median(here))) if len(here) and len(there) else f0


def _power(samples: np.ndarray) -> np.float32:
    """Root of the mean square."""
    return np.sqrt(np.mean(np.square(samples)))


def _whole_frames(
    phonemes: str, durations: np.ndarray, lengths: np.ndarray, targets: ProsodyTargets
) -> np.ndarray:
    """(L + 2,) whole frames a phoneme and pad: the network's own where nothing is asked, elsewhere what is,
    each rounding made good by the next. Only marks and pauses may take no time at all."""
    changed = (targets.pace != 1.0) | ~np.isnan(targets.hold)
    wanted = target_lengths(lengths, targets, SPAN * HOP / RATE)
    least = np.array([1, *(p not in PUNCTUATION and p not in MODIFIERS for p in phonemes), 1], np.int64)
    found, owed = durations.copy(), 0.0
    for i in np.flatnonzero(changed):
        found[i] = max(least[i], round(wanted[i] + owed))
        owed += wanted[i] - found[i]
    return found


def package() -> Path:
    from importlib.util import find_spec

    spec = find_spec("hibari")
    if spec is None:
        raise ModelMissing(f"the voice heart needs its package; {_INSTALL}")
    return Path(spec.origin).parent / "assets"
