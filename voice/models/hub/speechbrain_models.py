"""Models of speechbrain from their hyperparameters, of which only known classes are ever made.

Such a file names Python objects that are made when it is read, of any library and with any arguments. So
every tag in it is looked at before, and what is not in the lists below is refused. Weights are plain state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged
from voice.models.hub.folders import read_hyperparameters
from voice.models.hub.networks import check_installed

NETWORKS = (  # modules whose torch networks may be made
    "torch.nn.",
    "speechbrain.nnet.",
    "speechbrain.processing.features",
    "speechbrain.lobes.features",
    "speechbrain.lobes.models.CRDNN",
    "speechbrain.lobes.models.HifiGAN",
    "speechbrain.lobes.models.Tacotron2",
    "speechbrain.lobes.models.VanillaNN",
    "speechbrain.lobes.models.convolution",
    "speechbrain.lobes.models.transformer.",
    "speechbrain.integrations.huggingface.hubert",
    "speechbrain.integrations.huggingface.wav2vec2",
    "speechbrain.integrations.huggingface.wavlm",
)
OTHERS = {  # further classes and functions, by the module and the name under which they are defined
    ("sentencepiece", "SentencePieceProcessor"),
    ("speechbrain.dataio.encoder", "CTCTextEncoder"),
    ("speechbrain.decoders.ctc", "CTCBeamSearcher"),
    ("speechbrain.decoders.ctc", "ctc_greedy_decode"),
    ("speechbrain.lobes.models.HifiGAN", "mel_spectogram"),
    ("speechbrain.utils.parameter_transfer", "Pretrainer"),
    ("speechbrain.utils.text_to_sequence", "text_to_sequence"),
}
LONGEST = 200_000  # characters of a file of hyperparameters
_MAKING = ("!new:", "!name:")
_PLAIN = {"!ref", "!copy", "!tuple"} | {
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")
}
_REFUSED_ARGUMENTS = ("trust_remote_code", "custom_hooks", "conditions")
_DIRECTIVE = re.compile(r"^\ufeff?%", re.MULTILINE)
_POWER = re.compile(r"\*\*|\*\s*\*")


@dataclass(frozen=True)
class SpeechbrainModel:
    """What a file of hyperparameters made, with its weights: `parts` by name, and the rate in Hz."""

    parts: dict[str, Any]
    rate: int
    folder: Path

    def part(self, *path: str) -> Any:
        """Return a part, such as ("modules", "encoder"). Raises ModelDamaged if there is none."""
        found: Any = self.parts
        for name in path:
            if not isinstance(found, dict) or name not in found:
                raise ModelDamaged(f'{self.folder}: its hyperparameters have no "{" ".join(path)}"')
            found = found[name]
        return found


def open_speechbrain(folder: Path) -> SpeechbrainModel:
    """Return the model of a folder, on the CPU and ready for inference.

    Raises ModelMissing without speechbrain, ModelDamaged for what is not as it has to be, or not allowed.
    """
    check_installed("torch", "torchaudio", "speechbrain", extra="train")
    import torch
    from hyperpyyaml import load_hyperpyyaml, resolve_references

    text = read_hyperparameters(folder)
    check_hyperparameters(text, folder)
    try:
        resolved = resolve_references(StringIO(text)).getvalue()
        check_hyperparameters(resolved, folder)  # a reference may not have made a tag
        parts = load_hyperpyyaml(StringIO(resolved))
        _load_weights(parts, folder)
    except ModelDamaged:
        raise
    except Exception as error:  # whatever is wrong with the files
        raise ModelDamaged(f"{folder} does not load: {error}"[:500]) from error
    for each in _networks(parts):
        if isinstance(each, torch.nn.Module):
            each.eval()
    rate = parts.get("sample_rate", 16_000)
    if not isinstance(rate, int):
        raise ModelDamaged(f"{folder}: its sample rate is {rate!r:.40}")
    return SpeechbrainModel(parts, rate, folder)


def check_hyperparameters(text: str, folder: Path) -> None:
    """Raise ModelDamaged for hyperparameters that would run anything but what is listed here."""
    import ruamel.yaml

    if len(text) > LONGEST:
        raise ModelDamaged(f"{folder}: its hyperparameters have more than {LONGEST:,} characters")
    if _DIRECTIVE.search(text):
        raise ModelDamaged(f"{folder}: its hyperparameters give tags another meaning, which is not taken")
    try:
        root = ruamel.yaml.YAML().compose(StringIO(text))
        nodes = list(_nodes(root, set()))
    except (ruamel.yaml.error.YAMLError, RecursionError, ValueError) as error:
        raise ModelDamaged(f"{folder}: its hyperparameters cannot be read ({error})"[:300]) from error
    for node in nodes:
        tag = str(node.tag or "")
        made = next((tag.removeprefix(start) for start in _MAKING if tag.startswith(start)), None)
        if made is not None:
            check_allowed(made, folder)
        elif tag and tag not in _PLAIN:
            raise ModelDamaged(f"{folder}: its hyperparameters would run {tag[:80]}, which is not done")
        if isinstance(node.value, str) and tag in ("!ref", "!copy") and _POWER.search(node.value):
            raise ModelDamaged(f"{folder}: its hyperparameters hold the power {node.value[:60]!r}")
        if isinstance(node.value, str) and node.value in _REFUSED_ARGUMENTS:
            raise ModelDamaged(f"{folder}: its hyperparameters give {node.value}, which is not taken")


def _nodes(node: Any, seen: set[int]) -> Iterator[Any]:
    """Yield a node of YAML and all below it, each once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node.value, list | tuple):
        for each in node.value:
            for inner in each if isinstance(each, tuple) else (each,):
                yield from _nodes(inner, seen)


def check_allowed(name: str, folder: Path) -> None:
    """Raise ModelDamaged unless a name is that of a network or of another object in the lists here.

    What counts is where the object that the name leads to is defined, not what the name begins with.
    """
    import pydoc

    import torch

    refused = ModelDamaged(f"{folder}: its hyperparameters would make {name[:80]}, which is not allowed")
    if not name.startswith(("torch.nn.", "speechbrain.", "sentencepiece.")):
        raise refused
    found = pydoc.locate(name)
    where, called = getattr(found, "__module__", ""), getattr(found, "__qualname__", "")
    is_network = isinstance(found, type) and issubclass(found, torch.nn.Module)
    if not (is_network and where.startswith(NETWORKS)) and (where, called) not in OTHERS:
        raise refused


def _load_weights(parts: dict[str, Any], folder: Path) -> None:
    """Load the state of every part that the model lists, from a file of the folder itself."""
    pretrainer = parts["pretrainer"]
    for name in pretrainer.loadables:
        file = folder / Path(str(pretrainer.paths.get(name, f"{name}.ckpt")).replace("\\", "/")).name
        if not file.is_file() and not (file := folder / f"{name}.ckpt").is_file():
            raise ModelDamaged(f"{folder} has no {file.name}; fetch the model again")
        pretrainer.paths[name] = str(file)
        pretrainer.is_local.append(name)
    pretrainer.load_collected()


def _networks(parts: dict[str, Any]) -> Iterator[Any]:
    """Yield all parts, those of tables inside too."""
    for value in parts.values():
        if isinstance(value, dict):
            yield from _networks(value)
        else:
            yield value
