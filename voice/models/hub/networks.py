"""Opening networks of transformers from a folder: its own classes alone, plain weights, nothing fetched.

Torch and transformers are imported when a model is opened. Weights are read from safetensors or, without
running anything, from PyTorch's files. A configuration that its weights do not fit is refused before memory
is taken for it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing
from voice.models.hub.folders import CONFIGURATION, check_has_no_code, numbers_in, read_table, weights_of

MOST_LAYERS = 1_000
LARGEST_NUMBER = 1e9  # in a configuration


def check_installed(*names: str, extra: str = "local") -> None:
    """Raise ModelMissing, with the command that installs them, unless these libraries are installed."""
    absent = [name for name in names if find_spec(name) is None]
    if absent:
        raise ModelMissing(f"this model is run by {' and '.join(absent)}: pip install '.[{extra}]'")


def open_network(folder: Path, class_name: str, *, threads: int | None = None) -> Any:
    """Return the network in `folder`, ready for inference, on a GPU if there is one.

    `class_name` is one that transformers has, an Auto class too. `threads` are those of torch as a whole.
    Raises ModelMissing without the libraries, ModelDamaged for a folder that does not hold all of it.
    """
    check_installed("torch", "transformers")
    check_folder(folder)
    import torch

    if threads:
        torch.set_num_threads(threads)
    network = load_weights(folder, class_name)
    return network.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def check_folder(folder: Path) -> None:
    """Raise ModelDamaged for a folder with code, without weights, or whose configuration cannot be meant."""
    check_has_no_code(folder)
    table = read_table(folder / CONFIGURATION)
    if not table:
        raise ModelDamaged(f"{folder} has no {CONFIGURATION} that can be read; fetch the model again")
    if not weights_of(folder):
        raise ModelDamaged(f"{folder} has no weights (model.safetensors); fetch the model again")
    for name, number in numbers_in(table).items():
        if abs(number) > LARGEST_NUMBER or ("layers" in name and number > MOST_LAYERS):
            raise ModelDamaged(f"{folder}: {CONFIGURATION} says {name} {number:g}, which no model has")


def load_weights(folder: Path, class_name: str) -> Any:
    """Return a network of transformers with the weights in `folder`, as float32.

    Raises ModelDamaged where weights are missing or the configuration is of another network.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        made = getattr(transformers, class_name)
        _check_size(folder, made)
        network, about = made.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except ModelDamaged:
        raise
    except Exception as error:  # whatever is wrong with the files
        raise ModelDamaged(f"{folder} does not load as {class_name}: {error}"[:500]) from error
    absent = sorted(about["missing_keys"]) + [str(each[0]) for each in about["mismatched_keys"]]
    if absent:
        raise ModelDamaged(
            f"{folder} has no weights for {absent[0]} and {len(absent) - 1} others; "
            "it is not whole, or was not trained to this"
        )
    return network


def _check_size(folder: Path, made: Any) -> None:
    """Raise ModelDamaged if the configuration asks for more parameters than the weights have bytes."""
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        network = made.from_config(config) if hasattr(made, "from_config") else made(config)
    asked = sum(each.numel() for each in network.parameters())
    held = sum(path.stat().st_size for path in weights_of(folder))
    if asked > held:
        raise ModelDamaged(
            f"{folder}: {CONFIGURATION} describes {asked:,} parameters, and its weights have {held:,} bytes"
        )


def open_processing(folder: Path, class_name: str) -> Any:
    """Return a tokenizer or a feature extractor of transformers from `folder`. Raises ModelDamaged."""
    import transformers

    try:
        made = getattr(transformers, class_name)
        return made.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever is wrong with the files
        raise ModelDamaged(f"{folder} has no {class_name} that loads: {error}"[:500]) from error
