"""Nothing that is used here reports to anyone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = (
    "import os, voice; from voice.silero import Silero; Silero.open(); "
    "print(os.environ['ORT_DISABLE_TELEMETRY'])"
)


def test_onnx_runtime_collects_nothing_to_report(tmp_path: Path) -> None:
    silent = {
        name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")
    }
    silent |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=silent, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == "1"
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name]
