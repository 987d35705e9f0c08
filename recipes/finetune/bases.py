"""What a run starts from: a folder of transformers or of speechbrain, named hf:ORG/NAME or by its path."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from recipes import runs
from recipes.finetune.ctc import CTCTask
from recipes.finetune.generating import GeneratingTask
from recipes.finetune.speechbrain_ctc import SpeechbrainTask
from recipes.finetune.speecht5 import SpeechT5Task
from recipes.finetune.tasks import Task
from voice.errors import VoiceError
from voice.models.card import sha256
from voice.models.hub.folders import CONFIGURATION, GENERATING, HYPERPARAMETERS, architecture, read_table
from voice.models.lookup import fetch_folder

PRETRAINED = ("Model", "ForPreTraining", "ForMaskedLM", "ForSequenceClassification")
ENCODERS = ("wav2vec2", "hubert", "wavlm", "data2vec-audio", "sew", "sew-d", "unispeech", "unispeech-sat")


def base_folder(name: str) -> Path:
    """Return the folder of a base as its library wrote it, fetched if it has to be. Raises ModelError."""
    return fetch_folder(name)


def describe_base(name: str, folder: Path) -> runs.Base:
    """Return a base as `run.toml` has it: by its name, and one hash of all its files."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        digest.update(f"{path.name} {sha256(path)}\n".encode())
    return runs.Base(name, digest.hexdigest())


def open_task(
    folder: Path, texts: Sequence[str], own: Path, *, language: str, masked: bool, seed: int
) -> Task:
    """Return what the network in a folder is trained to do. A new vocabulary is kept in the folder `own`.

    Raises VoiceError for a network that is not known here.
    """
    named, family = architecture(folder), read_table(folder / CONFIGURATION).get("model_type")
    if (folder / HYPERPARAMETERS).is_file():
        return SpeechbrainTask(folder)
    if family == "whisper" or named in GENERATING:
        return GeneratingTask.open(folder, language)
    if named == "SpeechT5ForTextToSpeech":
        return SpeechT5Task.open(folder, seed)
    if named.endswith("ForCTC") or (family in ENCODERS and named.endswith(PRETRAINED)):
        return CTCTask.open(folder, texts, own, masked=masked)
    raise VoiceError(
        f"{folder} holds {named or 'no network'}, which is not trained here; there are Whisper, Moonshine, "
        "SpeechT5, speechbrain's EncoderASR and what AutoModelForCTC opens"
    )
