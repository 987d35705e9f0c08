"""How close copied speech is to the recording: one table, every system on the same clips.

    python -m recipes.vocoder.evaluate --model runs/vocoder --json runs/vocoder/scores.json

Mel and pitch are measured from each recording, resynthesized by each system and compared with it.
`--model` takes a run of train.py or a folder with vocoder.onnx, and may be given several times.
Test clips are for reporting; to choose between models give `--manifest …/dev.jsonl`. The clips of
`--unseen`, of speakers that no vocoder of ours was trained on, have rows of their own. speechbrain's and
transformers' HiFi-GAN stand there for their speed alone: in their default sizes, with random weights.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import voice.models
from recipes import options
from recipes.evaluations import fingerprint
from recipes.options import option
from recipes.vocoder import scores
from voice import audio, pitch
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE, VOICE_WINDOW, mel_filters, voice_log_mel
from voice.manifest import read_manifest
from voice.models.lookup import find_stored
from voice.tts.vocoder import FILE, Vocoder

CORPORA = Path("../shared/corpora")
PRETRAINED = Path(voice.models.__file__).parent / "pretrained"
EVERY = 30.0  # seconds between words about progress
Peer = tuple[float, Callable[..., Any]]  # frames a second, and the network that takes (F, 80)
System = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # mel, f0, recording → samples


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option(
        (CORPORA / "kathleen/test.jsonl", CORPORA / "ljspeech/test.jsonl"), "clips to copy, repeatable"
    )
    unseen: tuple[Path, ...] = option(
        (CORPORA / "librispeech/test.jsonl",), "clips of speakers never trained on, repeatable"
    )
    model: tuple[Path, ...] = option(
        tuple(path.parent for path in sorted(PRETRAINED.glob(f"*/{FILE}"))),
        "runs or folders with vocoder.onnx, repeatable",
    )
    peers: bool = option(True, "the HiFi-GANs too")
    clips: int | None = option(None, "at most so many of each manifest, spread evenly")
    griffin_lim: int = option(64, "iterations of Griffin-Lim; 0 leaves it out")
    mos: bool = option(False, "Distill-MOS too (pip install distillmos); slow")
    json: Path | None = option(None, "also write the table there")


@dataclass(frozen=True)
class Row:
    """Means over clips; `speed` is seconds of audio per second of one core's time. NaN: not measured.

    `data` is the fingerprint of the test's manifest, for a card (`recipes.evaluations`).
    """

    test: str
    system: str
    clips: int
    mos: float
    pesq: float
    stoi: float
    mel_l1: float
    pitch_rmse: float
    voicing_f1: float
    speed: float
    data: str = ""


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
    """Return a folder with vocoder.onnx as it is; a run exported first."""
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
    return found | {_name(path): our_own(path) for path in o.model}


def _name(model: Path) -> str:
    return model.name if model.parent == PRETRAINED else str(model)


def peers() -> dict[str, Callable[[float], float]]:
    """HiFi-GANs of others, random weights: seconds of speech → the seconds of it that were made."""
    import torch

    torch.manual_seed(0)
    made = {"HiFi-GAN, speechbrain": _speechbrain(), "HiFi-GAN, transformers": _transformers()}

    def run(frames_a_second: float, network: Callable[[torch.Tensor], torch.Tensor], seconds: float) -> float:
        frames = round(seconds * frames_a_second)
        with torch.inference_mode():
            network(torch.randn(frames, 80))
        return frames / frames_a_second

    return {name: partial(run, *peer) for name, peer in made.items()}


def _speechbrain() -> Peer:
    """HiFi-GAN V1 (Kong et al. 2020) as its recipe for LJ Speech makes it: 22.05 kHz, hop 256."""
    from speechbrain.lobes.models.HifiGAN import HifiganGenerator

    dilations, kernels = [[1, 3, 5]] * 3, [3, 7, 11]
    network = HifiganGenerator(80, 1, "1", dilations, kernels, [16, 16, 4, 4], 512, [8, 8, 2, 2]).eval()
    network.remove_weight_norm()
    return 22_050 / 256, lambda mel: network(mel.T[None])


def _transformers() -> Peer:
    """SpeechT5's HiFi-GAN: 16 kHz, hop 256."""
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    network = SpeechT5HifiGan(SpeechT5HifiGanConfig()).eval()
    return 16_000 / 256, network


def recordings(manifest: Path, most: int | None) -> list[np.ndarray]:
    """Return Samples at 24 kHz, cut to whole frames."""
    clips = read_manifest(manifest)
    if most is not None and most < len(clips):
        clips = [clips[i] for i in np.linspace(0, len(clips) - 1, most).astype(int)]
    sounds = [audio.read(clip.audio, VOICE_RATE).samples for clip in clips]
    return [samples[: len(samples) // VOICE_HOP * VOICE_HOP] for samples in sounds]


def score(names: tuple[str, str], system: System, clips: Sequence[np.ndarray], mos: bool = False) -> Row:
    """`names` are those of the test and the system. Features are not part of the time; `mos` is NaN unless
    asked for."""
    rows, agreement, spent = [], scores.PitchAgreement(), 0.0
    for real in _with_progress(clips, " ".join(names)):
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
    return Row(
        names[0],
        names[1],
        len(clips),
        rating,
        pesq,
        stoi,
        mel_l1,
        agreement.rmse,
        agreement.voicing_f1,
        speed,
    )


def time_peer(name: str, peer: Callable[[float], float], clips: Sequence[np.ndarray]) -> Row:
    """Measure the speed alone, on clips as long as these, with one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    peer(1.0)
    begun, made = time.process_time(), sum(peer(len(real) / VOICE_RATE) for real in clips)
    speed = made / (time.process_time() - begun)
    torch.set_num_threads(threads)
    nan = float("nan")
    return Row("speed only", name, len(clips), nan, nan, nan, nan, nan, nan, speed)


def _with_progress(clips: Sequence[np.ndarray], what: str) -> Iterator[np.ndarray]:
    """Yield `clips`, and print now and then how far it is."""
    shown = time.monotonic()
    for number, clip in enumerate(clips):
        if time.monotonic() - shown >= EVERY:
            shown = time.monotonic()
            print(f"{what}: {number} of {len(clips)} clips", file=sys.stderr)
        yield clip


COLUMNS = (
    "test", "system", "clips", "Distill-MOS", "PESQ-WB", "STOI", "log-mel L1", "F0 RMSE, cents", "V/UV F1",
    "× real time",
)  # fmt: skip


def line(row: Row) -> str:
    quality = (row.mos, 2), (row.pesq, 2), (row.stoi, 3), (row.mel_l1, 3)
    voicing = (row.pitch_rmse, 1), (row.voicing_f1, 3)
    speed = float("nan") if row.system == "recording" else row.speed
    numbers = [_number(*each) for each in (*quality, *voicing, (speed, 1))]
    return _line(row.test, row.system, str(row.clips), *numbers)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def rows(o: Options) -> Iterator[Row]:
    """Yield the table, test by test, what is measured for its speed alone last."""
    found = systems(o)
    tests = {_title(path): path for path in o.manifest}
    tests |= {f"{_title(path)}, never trained on": path for path in o.unseen}
    loaded = {test: recordings(path, o.clips) for test, path in tests.items()}
    for test, clips in loaded.items():
        for name, system in found.items():
            yield replace(score((test, name), system, clips, o.mos), data=fingerprint(str(tests[test])))
    if o.peers:
        clips = next(iter(loaded.values()))
        for name, peer in peers().items():
            yield time_peer(name, peer, clips)


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the scores of a vocoder's card, measured again on its sets: title → manifest."""
    system = our_own(find_stored(model).folder)
    for name, path in sets.items():
        row = score((name, model), system, recordings(Path(path), options.get("clips")))
        yield from scores.on_card(vars(row)).items()


def _title(manifest: Path) -> str:
    return f"{manifest.parent.name} {manifest.stem}"


def main(o: Options) -> None:
    print(_line(*COLUMNS) + "\n" + _line(*["---"] * len(COLUMNS)), flush=True)
    table = []
    try:
        for row in rows(o):
            table.append(row)
            print(line(row), flush=True)
    except VoiceError as error:
        raise SystemExit(str(error)) from error
    if o.json:
        o.json.parent.mkdir(parents=True, exist_ok=True)
        o.json.write_text(json.dumps([vars(row) for row in table], indent=1) + "\n")


if __name__ == "__main__":
    main(options.parse(Options, description=__doc__))
