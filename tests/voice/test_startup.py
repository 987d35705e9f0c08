"""What starting costs, told by what gets imported: times vary with the machine, modules do not."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "onnxruntime",
    "ctranslate2",
    "tokenizers",
    "av",
    "soxr",
    "soundfile",
    "hibari",
    "faster_whisper",
    "torch",
]
HEAVY += ["whisper_normalizer", "huggingface_hub", "gradio", "fastapi", "uvicorn", "prometheus_client"]


def imported_by(program: str) -> set[str]:
    """The top-level modules in memory after a fresh interpreter has run `program`."""
    report = "\nimport sys; print('\\n', *{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program + report], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_importing_voice_imports_next_to_nothing():
    found = imported_by("import voice")
    assert not found & {*HEAVY, "numpy", "typer", "rich"}


@pytest.mark.parametrize("arguments", [["--help"], ["transcribe", "--help"], ["speak", "--help"], ["models"]])
def test_help_waits_for_no_heavy_module(arguments):
    program = f"""
from voice.cli import app
try:
    app({arguments})
except SystemExit as exit:
    assert not exit.code, exit.code
"""
    assert not imported_by(program) & {*HEAVY, "numpy", "rich"}


def test_reading_a_manifest_or_a_card_needs_no_decoder():
    assert not imported_by("import voice.manifest, voice.models") & set(HEAVY)


def test_nothing_but_the_library_is_imported_with_the_types():
    assert not imported_by("import voice; voice.Audio, voice.VoiceError") & set(HEAVY)
