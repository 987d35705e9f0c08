"""Open a CTranslate2 folder of Whisper, and complete what its `config.json` does not say.

Folders that people convert themselves may lack the tokens of the languages, the alignment heads, or the
whole file; CTranslate2 then detects no language and places no words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

from voice.asr.whisper.tokenizer import language_tokens, open_tokenizer
from voice.errors import ModelDamaged
from voice.models.ct2 import read_model

CONFIG, WEIGHTS = "config.json", "model.bin"


def open_checkpoint(folder: Path, *, compute_type: str, threads: int, workers: int) -> Any:
    """Load the `ctranslate2.models.Whisper` of a folder: `workers` calls at once, `threads` for each.

    Raises ModelDamaged.
    """
    import ctranslate2

    def load(files: dict[str, bytes] | None = None) -> Any:
        return ctranslate2.models.Whisper(
            str(folder),
            compute_type=compute_type,
            intra_threads=threads,
            inter_threads=workers,
            files=files,
        )

    try:
        model = load()
        config = _config(folder)
        missing = [name for name in _DEFAULTS if _is_missing(name, config, model.is_multilingual)]
        if not missing:
            return model
        completed = config | {name: _DEFAULTS[name](folder) for name in missing}
        return load(_files(folder) | {CONFIG: json.dumps(completed).encode()})
    except (RuntimeError, ValueError) as error:
        raise ModelDamaged(f"{folder} is no Whisper model: {error}; fetch it again") from error


def _is_missing(name: str, config: dict[str, Any], multilingual: bool) -> bool:
    """Tell whether a model needs this setting and its configuration does not have it."""
    if name == "lang_ids":
        return multilingual and not config.get(name)
    return not config.get(name) if name == "alignment_heads" else name not in config


def _files(folder: Path) -> dict[str, bytes]:
    """Read the files of a folder that CTranslate2 needs besides the configuration."""
    return {path.name: path.read_bytes() for path in (folder / WEIGHTS, *folder.glob("vocabulary.*"))}


def _config(folder: Path) -> dict[str, Any]:
    """Read `config.json`; return an empty dict if it cannot be read."""
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _languages(folder: Path) -> list[int]:
    """Return the tokens of all languages."""
    return sorted(language_tokens(open_tokenizer(folder)).values())


def _alignment_heads(folder: Path) -> list[list[int]]:
    """Return all heads of the later half of the decoder's layers, as CTranslate2's converter does."""
    tensors = read_model(folder / WEIGHTS).tensors
    layers = len({found[0] for name in tensors if (found := re.match(r"decoder/layer_\d+/", name))})
    heads = int(tensors["decoder/num_heads"])
    return [list(pair) for pair in product(range(layers // 2, layers), range(heads))]


def _nothing(folder: Path) -> list[int]:
    """Suppress no tokens."""
    return []


_DEFAULTS: dict[str, Callable[[Path], Any]] = {
    "lang_ids": _languages,
    "alignment_heads": _alignment_heads,
    "suppress_ids": _nothing,
    "suppress_ids_begin": _nothing,
}
