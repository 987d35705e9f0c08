"""What tests share: real speech where the machine has it, and a cache of models of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def checkout_on_path() -> Iterator[None]:
    """Programs that tests start import this checkout, wherever they run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(CHECKOUT), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of speech corpora; a test that asks for it is skipped where there is none."""
    folder = Path(os.environ.get("VOICE_CORPORA") or CHECKOUT.parent / "shared" / "corpora")
    if not folder.is_dir():
        pytest.skip(f"no speech corpora at {folder}; set VOICE_CORPORA to their folder")
    return folder.resolve()


@pytest.fixture(scope="session")
def whisper_base() -> Path:
    """The folder of the real whisper-base, fetched once; skipped where it cannot be had."""
    return _catalog_model("whisper-base")


@pytest.fixture(scope="session")
def whisper_tiny() -> Path:
    """The folder of the real whisper-tiny.en, fetched once; skipped where it cannot be had."""
    return _catalog_model("whisper-tiny.en")


def _catalog_model(name: str) -> Path:
    from voice.errors import ModelMissing
    from voice.models import catalog

    try:
        return catalog.find(name).folder
    except ModelMissing as error:
        pytest.skip(str(error))
