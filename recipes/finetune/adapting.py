"""Which of a network's weights learn: all, some frozen, or low-rank additions alone.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", by peft; Chen et al. 2016, "Training
Deep Nets with Sublinear Memory Cost", by torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn

from recipes.finetune.tasks import Example, Task
from recipes.options import option
from voice.errors import VoiceError


@dataclass(frozen=True)
class AdaptOptions:
    """What learns, and what is computed twice to save memory."""

    rank: int = option(0, "rank of low-rank additions (LoRA) to every linear layer; 0 trains all weights")
    freeze: Literal["nothing", "features", "encoder"] = option(
        "nothing", "what stays as it is: the convolutions at the beginning, or the whole encoder"
    )
    checkpointing: bool = option(
        False, "compute activations again instead of keeping them: less memory, more time", may_change=True
    )


def adapt(task: Task, options: AdaptOptions) -> None:
    """Prepare a task's module for training as the options say.

    Raises VoiceError for what the network does not have.
    """
    if options.freeze != "nothing":
        if options.freeze not in task.parts:
            named = ", ".join(task.parts) or "nothing"
            raise VoiceError(f"this network has no {options.freeze} to freeze; it has {named}")
        task.parts[options.freeze].requires_grad_(False)
    if options.rank:
        add_low_rank(task, options.rank)
    if options.checkpointing:
        _compute_again(task.module)
    task.module.train()


def add_low_rank(task: Task, rank: int) -> None:
    """Freeze the module but for its new layers, and add to every linear layer that learned and is called."""
    learned = [
        name for name in called_linears(task)
        if next(task.module.get_submodule(name).parameters()).requires_grad and not name.startswith(task.head)
    ]  # fmt: skip
    if not learned:
        raise VoiceError("nothing is left to add low-rank layers to; freeze less")
    whole = [p for name, p in task.module.named_parameters() if task.head and name.startswith(task.head)]
    task.module.requires_grad_(False)
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=learned), task.module)
    for parameter in whole:
        parameter.requires_grad_(True)


def called_linears(task: Task) -> list[str]:
    """Return the names of the linear layers that are called; some networks read weights without calling."""
    noise = np.random.default_rng(0).normal(0.0, 0.01, 2 * task.rate).astype(np.float32)
    example = Example(noise, np.array([1, 2]))
    called: list[str] = []
    hooks = [
        module.register_forward_hook(lambda *_, name=name: called.append(name))
        for name, module in task.module.named_modules()
        if type(module) is nn.Linear
    ]
    task.module.eval()
    with torch.no_grad():
        task.loss(task.batch([example]))
    for hook in hooks:
        hook.remove()
    return sorted(set(called))


def _compute_again(module: nn.Module) -> None:
    """Switch gradient checkpointing on. Raises VoiceError where no part of the module can do it."""
    able: list[Any] = [each for each in module.modules() if hasattr(each, "gradient_checkpointing_enable")]
    if not able:
        raise VoiceError("this network cannot compute activations again; leave --checkpointing out")
    if hasattr(able[0], "activation_checkpointing_enable"):  # what newer versions call it
        able[0].activation_checkpointing_enable()
    else:
        able[0].gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


class Statistics:
    """The buffers of a module, such as the means of its batch normalizations: a part of the checkpoint."""

    def __init__(self, module: nn.Module) -> None:
        stored = module.state_dict().keys()
        self._buffers = {name: each for name, each in module.named_buffers() if name in stored}

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {name.replace(".", "/"): each.detach().clone() for name, each in self._buffers.items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        for name, each in self._buffers.items():
            each.copy_(state[name.replace(".", "/")])


def trainable(module: nn.Module) -> nn.ParameterDict:
    """Return the parameters that learn, themselves and not copies, as one thing to keep."""
    learning = {
        name.replace(".", "/"): each for name, each in module.named_parameters() if each.requires_grad
    }
    return nn.ParameterDict(learning)


def load_trained(module: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Give a module that was adapted alike the weights of a run. Raises VoiceError for weights of another."""
    named = {name.replace("/", "."): each for name, each in weights.items()}
    unknown = module.load_state_dict(named, strict=False).unexpected_keys
    if unknown:
        raise VoiceError(f"the run has weights that its base does not have ({unknown[0]})")


def merge_low_rank(module: nn.Module) -> None:
    """Put the low-rank additions into the weights that they add to, so that the module is as it was made."""
    for name in _names_of(module, LoraLayer):
        layer: Any = module.get_submodule(name)
        layer.merge()
        above, _, own = name.rpartition(".")
        setattr(module.get_submodule(above), own, layer.get_base_layer())


def _names_of(module: nn.Module, kind: type) -> Sequence[str]:
    return [name for name, each in module.named_modules() if isinstance(each, kind)]
