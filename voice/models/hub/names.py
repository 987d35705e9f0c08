"""Names that begin with hf: a repository of the Hugging Face Hub, or a folder of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from voice.errors import ModelMissing
from voice.models import card
from voice.models.cache import home
from voice.models.hub.folders import CONFIGURATION, HYPERPARAMETERS
from voice.places import expand_home

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def parse_hub_name(name: str) -> tuple[str, str | None]:
    """Return repository and revision of hf:ORG/NAME[@REVISION]. Raises ModelMissing for anything else."""
    repository, at, revision = name.removeprefix("hf:").partition("@")
    fits = REPOSITORY.fullmatch(repository) and (not at or _REVISION.fullmatch(revision))
    if not fits or ".." in name or "--" in repository:  # neither is in any name on the Hub
        raise ModelMissing(f'"{name}" is not of the form hf:ORG/NAME or hf:ORG/NAME@REVISION')
    return repository, revision or None


def hub_folder(name: str) -> Path:
    """Return the folder of the cache for hf:ORG/NAME[@REVISION]. Raises ModelMissing for anything else."""
    repository, revision = parse_hub_name(name)
    parts = ["hf", *repository.split("/"), *([revision.replace("/", "+")] if revision else [])]
    return home() / "models" / "--".join(parts)


def without_prefix(name: str) -> str:
    """Return the path of the folder that hf:FOLDER means, if it holds a model; other names as they are."""
    if not name.startswith("hf:"):
        return name
    folder = expand_home(name.removeprefix("hf:")).absolute()
    held = any((folder / each).is_file() for each in (card.NAME, CONFIGURATION, HYPERPARAMETERS))
    return str(folder) if held else name
