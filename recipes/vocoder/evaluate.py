"""How close copied speech is to the recording: one table, every system on the same clips.

    python -m recipes.vocoder.evaluate --model runs/vocoder --json runs/vocoder/scores.json

Mel and pitch are measured from each recording, resynthesized by each system and compared with it.
`--model` takes a run of train.py or a folder with vocoder.onnx, and may be given several times.
Test clips are for reporting; to choose between models give `--manifest …/dev.jsonl`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes import options
from recipes.options import option
from recipes.vocoder import scores
from voice import audio, pitch
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE, VOICE_WINDOW, mel_filters, voice_log_mel
from voice.manifest import read_manifest
from voice.tts.vocoder import FILE, Vocoder

CORPORA = Path("../shared/corpora")
System = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # mel, f0, recording → samples


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option(
        (CORPORA / "kathleen/test.jsonl", CORPORA / "ljspeech/test.jsonl"), "clips to copy, repeatable"
    )
    model: tuple[Path, ...] = option((), "runs or folders with vocoder.onnx, repeatable")
    clips: int | None = option(None, "at most so many of each manifest, spread evenly")
    griffin_lim: int = option(64, "iterations of Griffin-Lim; 0 leaves it out")
    mos: bool = option(False, "Distill-MOS too (pip install distillmos); slow")
    json: Path | None = option(None, "also write the table there")


@dataclass(frozen=True)
class Row:
    """Means over clips; `speed` is seconds of audio per second of one core's time."""

    system: str
    clips: int
    mos: float
    pesq: float
    stoi: float
    mel_l1: float
    pitch_rmse: float
    voicing_f1: float
    speed: float


def recording(mel: np.ndarray, f0: np.ndarray, real: np.ndarray) -> np.ndarray:
    return real


def griffin_lim(iterations: int) -> System:
    """Magnitudes from the mel by non-negative least squares, their phase after Griffin and Lim 1984."""
    import librosa

    filters = mel_filters(VOICE_RATE, VOICE_WINDOW, len(voice_log_mel(np.zeros(VOICE_HOP))))

    def system(mel: np.ndarray, f0: np.ndarray, real: np.ndarray) -> np.ndarray:
        magnitudes = librosa.util.nnls(filters, np.exp(mel))
        magnitudes = np.pad(magnitudes, ((0, 0), (0, 1)), mode="edge")  # librosa counts both ends
        return librosa.griffinlim(
            magnitudes, n_iter=iterations, hop_length=VOICE_HOP, win_length=VOICE_WINDOW, n_fft=VOICE_WINDOW,
            length=len(real), random_state=0,
        )  # fmt: skip

    return system


def our_own(path: Path) -> System:
    """A folder with vocoder.onnx as it is; a run exported first."""
    if path.is_file() or (path / FILE).exists() and not (path / "last.pt").exists():
        vocoder = Vocoder.open(path)
        return lambda mel, f0, real: vocoder(mel, f0)
    from recipes.vocoder.export import export, load_run

    with tempfile.TemporaryDirectory() as folder:
        vocoder = Vocoder.open(export(load_run(path), Path(folder)))
    return lambda mel, f0, real: vocoder(mel, f0)


def systems(o: Options) -> dict[str, System]:
    found: dict[str, System] = {"recording": recording}
    if o.griffin_lim:
        found[f"Griffin-Lim {o.griffin_lim}"] = griffin_lim(o.griffin_lim)
    return found | {str(path): our_own(path) for path in o.model}


def recordings(manifest: Path, most: int | None) -> list[np.ndarray]:
    """Samples at 24 kHz, cut to whole frames."""
    clips = read_manifest(manifest)
    if most is not None and most < len(clips):
        clips = [clips[i] for i in np.linspace(0, len(clips) - 1, most).astype(int)]
    sounds = [audio.read(clip.audio, VOICE_RATE).samples for clip in clips]
    return [samples[: len(samples) // VOICE_HOP * VOICE_HOP] for samples in sounds]


def score(name: str, system: System, clips: Sequence[np.ndarray], mos: bool = False) -> Row:
    """Features are not part of the time; `mos` is NaN unless asked for."""
    rows, agreement, spent = [], scores.PitchAgreement(), 0.0
    for real in clips:
        mel, f0 = voice_log_mel(real), pitch.f0(real, VOICE_RATE, VOICE_HOP)
        start = time.process_time()
        made = system(mel, f0, real)
        spent += time.process_time() - start
        measures = (scores.pesq_wideband, scores.stoi, scores.mel_distance)
        rating = scores.distill_mos(made) if mos else float("nan")
        rows.append([*(measure(real, made) for measure in measures), rating])
        agreement += scores.pitch_agreement(real, made)
    pesq, stoi, mel_l1, rating = np.mean(np.array(rows), 0).tolist()
    speed = sum(map(len, clips)) / VOICE_RATE / spent
    return Row(name, len(clips), rating, pesq, stoi, mel_l1, agreement.rmse, agreement.voicing_f1, speed)


def table(rows: Sequence[Row]) -> str:
    columns = ("system", "clips", "Distill-MOS", "PESQ-WB", "STOI", "log-mel L1", "F0 RMSE, cents", "V/UV F1")
    lines = [_line(*columns, "× real time"), _line(*["---"] * 9)]
    for row in rows:
        quality = f"{row.mos:.2f}", f"{row.pesq:.2f}", f"{row.stoi:.3f}", f"{row.mel_l1:.3f}"
        voice = f"{row.pitch_rmse:.1f}", f"{row.voicing_f1:.3f}"
        speed = "" if row.system == "recording" else f"{row.speed:.1f}"
        lines.append(_line(row.system, str(row.clips), *quality, *voice, speed))
    return "\n".join(lines)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main(o: Options) -> None:
    try:
        found = systems(o)
        groups = {str(manifest): recordings(manifest, o.clips) for manifest in o.manifest}
    except VoiceError as error:
        raise SystemExit(str(error)) from error
    results = {}
    for manifest, clips in groups.items():
        rows = [score(name, system, clips, o.mos) for name, system in found.items()]
        print(f"\n{manifest}\n\n{table(rows)}", flush=True)
        results[manifest] = [vars(row) for row in rows]
    if o.json:
        o.json.parent.mkdir(parents=True, exist_ok=True)
        o.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(options.parse(Options, description=__doc__))
