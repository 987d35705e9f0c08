"""Folders of transformers and of speechbrain without a card: what kind of model each holds.

The folder is read as JSON and as text; neither torch nor transformers is needed, and no code of it is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, VoiceError
from voice.models.card import NAME, RATES, Card

TRANSFORMERS, SPEECHBRAIN = "transformers", "speechbrain"  # engines on the cards
CONFIGURATION, HYPERPARAMETERS = "config.json", "hyperparams.yaml"
WEIGHT_FILES = ("model*.safetensors", "pytorch_model*.bin")  # the first that is there counts
GENERATING = ("MoonshineForConditionalGeneration",)
VOICES = ("SpeechT5ForTextToSpeech", "VitsModel")
VOCODERS = ("SpeechT5HifiGan",)
MOST_BYTES = 10_000_000  # of a configuration
_RATE = 16_000  # Hz, where the folder does not say otherwise
_TRAINED_FIRST = re.compile(r"(Wav2Vec2|Hubert|WavLM|UniSpeech\w*|Data2VecAudio|SEWD?)(Model|ForPreTraining)")
_SPEECHBRAIN = {  # what the hyperparameters of a kind have in them
    "voice": re.compile(r"^text_to_sequence\s*:", re.MULTILINE),
    "recognizer": re.compile(r"^\w*decod\w*\s*:\s*!(?:name|new):\S*ctc", re.MULTILINE | re.IGNORECASE),
    "vocoder": re.compile(r"^generator\s*:\s*!new:\S*hifigan", re.MULTILINE | re.IGNORECASE),
}


def architecture(folder: Path) -> str:
    """Return the class of transformers that a folder names for its weights, "" if it names none."""
    named = read_table(folder / CONFIGURATION).get("architectures")
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else ""


def guess_card(folder: Path) -> Card | None:
    """Return the card of a model of transformers or of speechbrain in a folder without a card, else None.

    A converted Whisper, or one to be converted, is none of these. Raises ModelDamaged for a model that has to
    be trained before it can be used, and for one that has weights but is of no kind that is known here.
    """
    if (folder / NAME).exists():
        return None
    if (folder / HYPERPARAMETERS).is_file():
        return _speechbrain_card(folder)
    named = architecture(folder)
    if not named or not weights_of(folder):
        return None
    kind = kind_of(named)
    if kind is None:
        raise ModelDamaged(f"{folder} holds a {named}: {_reason(named)}")
    return _card(folder, kind, TRANSFORMERS)


def kind_of(architecture: str) -> str | None:
    """Return the kind of model that a class of transformers is, None for one that is not known here."""
    if architecture.endswith("ForCTC") or architecture in GENERATING:
        return "recognizer"
    if architecture in VOICES:
        return "voice"
    return "vocoder" if architecture in VOCODERS else None


def weights_of(folder: Path) -> list[Path]:
    """Return the files of the weights: safetensors, or else PyTorch's."""
    for pattern in WEIGHT_FILES:
        if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
            return found
    return []


def read_table(path: Path) -> dict[str, Any]:
    """Return the table in a JSON file, an empty one if it cannot be read or is no table."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return {}
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def check_has_no_code(folder: Path) -> None:
    """Raise ModelDamaged for a folder whose files name code of their own, which is never run."""
    for path in sorted(folder.glob("*.json")):
        if "auto_map" in read_table(path):
            raise ModelDamaged(
                f"{folder} has code of its own ({path.name}), which is not run; use another model"
            )


def _reason(named: str) -> str:
    """Return why a class of transformers cannot be used here, and what to do."""
    if _TRAINED_FIRST.fullmatch(named):
        return "an encoder that has to be trained to write first, by recipes.finetune.train"
    known = ", ".join(("Whisper", "…ForCTC", *GENERATING, *VOICES))
    return f"that is no kind known here; there are {known}"


def _card(folder: Path, kind: str, engine: str) -> Card:
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name).strip("-")[:60] or engine
    files = (folder / each for each in ("preprocessor_config.json", CONFIGURATION))
    rates = (read_table(each).get("sampling_rate") for each in files)
    rate = next((each for each in rates if isinstance(each, int) and each in RATES), _RATE)
    return Card(name, kind, engine, rate, _language(folder), "unknown")


def _language(folder: Path) -> str:
    """Return the code of the language that the tokenizer is for, "multilingual" if it does not say."""
    from voice.text.languages import parse_language

    given = read_table(folder / "tokenizer_config.json").get("language")
    try:
        return parse_language(given if isinstance(given, str) else None) or "multilingual"
    except VoiceError:  # one of the thousand that have no code here
        return "multilingual"


def _speechbrain_card(folder: Path) -> Card:
    """Return the card of a model of speechbrain. Raises ModelDamaged for kinds that are not known here."""
    text = read_hyperparameters(folder)
    for kind, pattern in _SPEECHBRAIN.items():
        if pattern.search(text):
            return _card(folder, kind, SPEECHBRAIN)
    raise ModelDamaged(
        f"{folder} is a model of speechbrain that is not known here; there are EncoderASR with a CTC "
        "decoder, Tacotron2 and HIFIGAN"
    )


def read_hyperparameters(folder: Path) -> str:
    """Return the text of speechbrain's file of hyperparameters. Raises ModelDamaged."""
    path = folder / HYPERPARAMETERS
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        return data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); fetch the model again") from error


def numbers_in(table: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a configuration by name, those of tables inside it included."""
    found: dict[str, float] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            found |= numbers_in(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = max(float(value), found.get(name, float(value)))
    return found
