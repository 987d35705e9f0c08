"""What tests share: real speech where the machine has it, and a cache of models of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
# Tests that take long, for they train, open browsers or start programs. They come first, so that at the end
# no worker is left alone with a long file.
LONG = (
    "tests/recipes/",
    "tests/page/",
    "tests/test_",
    "tests/voice/cli/",
    "tests/voice/serve/",
    "tests/data/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; within that and within the rest the order stays."""

    def rank(item: pytest.Item) -> int:
        return next((place for place, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def checkout_on_path() -> Iterator[None]:
    """Programs that tests start import this checkout, wherever they run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(CHECKOUT), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """What tests start can be interrupted, though a shell lets what it runs in the background ignore that."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT", "SIGHUP") if hasattr(signal, name)]
    ignored = [number for number in numbers if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


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
    from voice.models import lookup

    try:
        return lookup.find(name).folder
    except ModelMissing as error:
        pytest.skip(str(error))
