"""Whisper as people have it elsewhere: folders of transformers, made into ones that CTranslate2 runs; the
usual names of its sizes.

Torch and transformers are wanted for making them, not for running them. No code of such a folder is run.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing
from voice.models.card import NAME, Card, hashes
from voice.models.hub.folders import check_has_no_code, read_table, weights_of

WEIGHTS, TOKENIZER, CONFIG = "model.bin", "tokenizer.json", "config.json"
ENGLISH = 51_864  # entries in the vocabulary of the models that know English alone
_RATE = 16_000
_SIZE = re.compile(
    r"(?:openai/)?(?:faster-)?(?:whisper-)?"
    r"((?:tiny|base|small|medium)(?:\.en)?|large(?:-v[123])?|turbo|large-v3-turbo|distil-[\w.-]+)"
)
_HUB = {
    "large": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
}


def size_of(name: str) -> str | None:
    """Return the size of Whisper that a usual name means, such as "small" or "openai/whisper-small"."""
    found = _SIZE.fullmatch(name.lower())
    return found and found[1]


def hub_name(size: str) -> str | None:
    """Return the repository that has a size of Whisper ready to run, as hf:ORG/NAME; None if none has it."""
    if size in _HUB or not size.startswith("distil"):
        return "hf:" + _HUB.get(size, f"Systran/faster-whisper-{size}")
    return None


def is_converted(folder: Path) -> bool:
    """Tell whether CTranslate2 can run the files in `folder`, which has no card.

    Raises ModelDamaged where its tokenizer is missing.
    """
    if not (folder / WEIGHTS).is_file():
        return False
    if not (folder / TOKENIZER).is_file():
        raise ModelDamaged(
            f"{folder} has no {TOKENIZER}; copy the one of the model that it was converted from into it, or "
            f"convert that again with ct2-transformers-converter --copy_files {TOKENIZER}"
        )
    return True


def is_convertible(folder: Path) -> bool:
    """Tell whether a folder holds a Whisper of transformers, without a card and not converted yet."""
    ready = (folder / NAME).exists() or (folder / WEIGHTS).exists()
    return not ready and _config(folder).get("model_type") == "whisper" and bool(weights_of(folder))


def guess_card(folder: Path) -> Card:
    """Return a card for a Whisper that has none."""
    language = "en" if _config(folder).get("vocab_size") == ENGLISH else "multilingual"
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name).strip("-")[:60] or "whisper"
    return Card(name, "recognizer", "whisper", _RATE, language, "unknown")


def version(folder: Path) -> str:
    """Return a hash that changes when a file that is converted does, by its size and time."""
    files = [*weights_of(folder), *(path for path in (folder / CONFIG, folder / TOKENIZER) if path.is_file())]
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()[:12]


def convert(folder: Path, out: Path) -> Card:
    """Fill `out` with what CTranslate2 runs, weights in float16; its card.

    Raises ModelMissing where the libraries for it are not installed, ModelDamaged where it does not work out.
    """
    if not (find_spec("torch") and find_spec("transformers")):
        raise ModelMissing(
            f"{folder} is a Whisper for transformers, which has to be converted first; install what that "
            f"takes, pip install '.[train]', and ask for it again"
        )
    _check(folder)
    from ctranslate2.converters import TransformersConverter

    try:
        TransformersConverter(str(folder)).convert(str(out), quantization="float16", force=True)
    except Exception as error:  # whatever is wrong with the files
        raise ModelDamaged(f"{folder} cannot be converted: {error}"[:500]) from error
    shutil.copyfile(folder / TOKENIZER, out / TOKENIZER)
    made = guess_card(folder)
    files = hashes(out, sorted(path.name for path in out.iterdir()))
    origin = "converted from a folder of transformers"
    return Card(made.name, made.kind, made.engine, made.rate, made.language, made.license, "", origin, files)


def _check(folder: Path) -> None:
    """Raise ModelDamaged for a folder that has code, or no tokenizer."""
    check_has_no_code(folder)
    if not (folder / TOKENIZER).is_file():
        raise ModelDamaged(
            f"{folder} has no {TOKENIZER}; write it with transformers: "
            f"AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )


def _config(folder: Path) -> dict[str, Any]:
    return read_table(folder / CONFIG)
