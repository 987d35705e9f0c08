"""What two runs have learned, sounds and prosody, brought together as one voice or several."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from recipes.checkpoints import read_state
from recipes.kept_weights import Which, read_kept
from recipes.tts.model import NOISES, ProsodyModel, SpeakingModel
from recipes.tts.sounds import SoundModel
from recipes.tts.train import RECIPE, size_of
from recipes.tts.train_prosody import Setup
from voice.errors import VoiceError
from voice.text.alphabet import SYMBOLS

STAND_INS = {
    "!": ".", "?": ".", "…": ",", ":": ";", "—": ",", "“": '"', "”": '"', '"': " ", "(": ",", ")": ",",
    "Q": "O", "a": "ɑ", "e": "A", "o": "O", "ɒ": "ɑ", "ɚ": "ə", "r": "ɹ", "x": "k", "ɾ": "T", "ʔ": "t",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Trained:
    """Averaged weights of two runs, the speakers' ranges, and the steps of the sounds."""

    sounds: SoundModel
    speaking: SpeakingModel
    setup: Setup
    step: int
    speakers: tuple[str, ...]  # in the order of the models' tables


def load_run(folder: Path, prosody: Path, which: Which = "average") -> Trained:
    """Return the sounds of one run, average weights or those that it kept, with the prosody of another.

    Raises ModelMissing, or VoiceError where they have different speakers.
    """
    saved, learned = _checkpoint(folder, "train"), _checkpoint(prosody, "train_prosody")["parts"]
    setup = Setup.of_run(prosody, learned)
    sounds, speaking = SoundModel(size_of(folder, saved["parts"])), SpeakingModel(setup.shape)
    if tuple(sounds.size.speakers) != tuple(setup.shape.speakers):
        raise VoiceError(f"{folder} and {prosody} have different speakers: train both on the same features")
    average = saved["parts"]["ema"]["weights"]
    sounds.load_state_dict(average if which == "average" else read_kept(folder, which, RECIPE))
    speaking.load_state_dict(learned["ema"]["weights"] | learned["best"]["weights"])
    for model in (speaking.prosody, speaking.curves):
        copy_stand_ins(model.symbols, untrained_symbols(speaking, model.symbols, learned["optimizer"]))
    return Trained(sounds.eval(), speaking.eval(), setup, saved["step"], setup.shape.speakers)


def _checkpoint(folder: Path, script: str) -> dict[str, Any]:
    """Return the checkpoint of a run of `script`. Raises ModelMissing, ModelDamaged."""
    return read_state(folder / "last.pt", f"python -m recipes.tts.{script} --out {folder}")


def set_noise(prosody: ProsodyModel, temperature: Sequence[float]) -> None:
    """Give prosody the noise that it speaks from, the same in every export.

    `temperature`: those of length, pitch and energy.
    """
    noise = torch.randn(NOISES, len(temperature), generator=torch.Generator().manual_seed(0))
    prosody.noise.copy_(noise * torch.tensor(temperature))


def untrained_symbols(model: nn.Module, symbols: nn.Embedding, optimizer: dict[str, Any]) -> set[str]:
    """Return the symbols that no gradient has reached: Adam's mean of its squares is still zero there."""
    index = [id(p) for p in model.parameters()].index(id(symbols.weight))
    squares = optimizer["state"][index]["exp_avg_sq"].sum(1)
    return {SYMBOLS[i] for i in torch.nonzero(squares == 0).flatten().tolist()}


def copy_stand_ins(symbols: nn.Embedding, untrained: set[str]) -> None:
    """Give each symbol that training never met the vector of the one most like it."""
    for symbol in untrained & STAND_INS.keys():
        other = STAND_INS[symbol]
        while other in untrained and other in STAND_INS:
            other = STAND_INS[other]
        symbols.weight.data[SYMBOLS.index(symbol)] = symbols.weight.data[SYMBOLS.index(other)]


def keep_speakers(run: Trained, names: Sequence[str]) -> Trained:
    """Return the models with these speakers alone, in this order. Raises VoiceError for an unknown one."""
    rows = check_speakers(names, run.speakers)
    run = deepcopy(run)
    speaking, sounds = run.speaking, run.sounds
    tables = [(part, "speakers") for part in (speaking.prosody, speaking.curves, sounds.text)]
    for part, table in (*tables, (sounds.decoder, "tones")):
        setattr(part, table, nn.Embedding.from_pretrained(getattr(part, table).weight.data[rows]))
    return replace(run, speakers=tuple(names))


def check_speakers(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return the numbers of a run's speakers. Raises VoiceError for none, one unknown, one named twice."""
    if not names:
        raise VoiceError(f"name a speaker of the run: {', '.join(known)}")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise VoiceError(f"the run has no speaker {unknown[0]}; it has {', '.join(known)}")
    if len(set(names)) < len(names):
        raise VoiceError("a speaker is named twice; one voice for each is enough")
    return [known.index(name) for name in names]


def write_start(run: Trained, path: Path) -> None:
    """Write what `train.py --warm-start` takes: the sounds' weights in half precision, and the speakers."""
    from safetensors.torch import save_file

    weights = {name: value.half().contiguous() for name, value in run.sounds.state_dict().items()}
    save_file(weights, path, {"speakers": ",".join(run.sounds.size.speakers)})
