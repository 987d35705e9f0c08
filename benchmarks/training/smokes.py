"""How long the smallest run of every recipe takes, and all of them together.

    python -m benchmarks.training.smokes
    python -m benchmarks.training.smokes --only tts --only vocoder

Each `--smoke` runs as a person types it, in a process of its own and a folder that is removed. On a busy
machine the processor's seconds stay nearly what they are on a quiet one; the clock's do not.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[2]
OWN = "data/tiny/train.jsonl --name smoke --run {out}/run --out {out}/model"
# Name → module and options; "{out}" is an empty folder.
SMOKES = {
    "asr": ("recipes.asr.train", "--out {out}/run"),
    "asr, CTC head inside": ("recipes.asr.train", "--ctc 0.2 --out {out}/run"),
    "asr, CTC head alone": ("recipes.asr.train_head", "--out {out}/run"),
    "asr, tuning": ("recipes.asr.tuning.train", "--out {out}/run"),
    "ctc": ("recipes.ctc.train", "--out {out}/run"),
    "finetune": ("recipes.finetune.train", "--out {out}/run"),
    "tts, features": ("recipes.tts.prepare", "--out {out}/some.npz"),
    "tts, prosody": ("recipes.tts.train_prosody", "--out {out}/run"),
    "tts, sounds": ("recipes.tts.train", "--out {out}/run"),
    "vocoder": ("recipes.vocoder.train", "--out {out}/run"),
    "voice train recognizer": ("voice", f"train recognizer {OWN}"),
    "voice train vocoder": ("voice", f"train vocoder {OWN}"),
}  # fmt: skip
NOTHING_GAINED = 1  # the exit status of a tuning whose random network has learned nothing that holds


def run(module: str, options: str) -> tuple[float, float]:
    """Return the seconds of the processor and of the clock that a smoke takes; exits where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*options.replace("{out}", folder).split(), "--smoke"]
        before, begun = _children_seconds(), time.monotonic()
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", module, *words], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        if done.returncode not in (0, NOTHING_GAINED if "recognizer" in options else 0):
            raise SystemExit(f"{module} {options} failed:\n{done.stderr[-2000:]}")
        return _children_seconds() - before, time.monotonic() - begun


def _children_seconds() -> float:
    """Return the processor's seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(
    only: Annotated[list[str] | None, typer.Option(help="names that contain this; repeatable")] = None,
) -> None:
    """Run them one after the other and print a line for each."""
    print("| recipe | processor, s | clock, s |\n|---|---|---|", flush=True)
    total = [0.0, 0.0]
    for name, (module, options) in SMOKES.items():
        if only and not any(each in name for each in only):
            continue
        found = run(module, options)
        total = [a + b for a, b in zip(total, found, strict=True)]
        print(f"| {name} | {found[0]:.1f} | {found[1]:.1f} |", flush=True)
    print(f"| together | {total[0]:.0f} | {total[1]:.0f} |")


if __name__ == "__main__":
    typer.run(main)
