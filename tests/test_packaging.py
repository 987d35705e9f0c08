"""What pyproject.toml promises is what the code imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
OWN = {"voice", "data", "recipes", "benchmarks", "page", "app"}
NAMES = {"faster-whisper": "faster_whisper", "hibari-tts": "hibari", "huggingface-hub": "huggingface_hub"}
NAMES |= {"pyyaml": "yaml", "pillow": "PIL"}
NAMES |= {"whisper-normalizer": "whisper_normalizer", "prometheus-client": "prometheus_client"}
SERVER = {Path("voice/serve"), Path("voice/cli/serve.py")}  # wants its own extra
LOCAL = {Path("voice/agent/local.py")}  # too
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]


def promised(extra: str | None = None) -> set[str]:
    wanted = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    names = {re.match(r"[\w-]+", each)[0] for each in wanted}
    return {NAMES.get(name, name) for name in names}


def imported(folder: str, without: set[Path] = frozenset()) -> set[str]:
    """Top-level modules that files below `folder` import, those of Python and our own left out."""
    found: set[str] = set()
    for path in [CHECKOUT / folder, CHECKOUT / f"{folder}.py", *(CHECKOUT / folder).rglob("*.py")]:
        inside = path.relative_to(CHECKOUT)
        if path.is_file() and not without & {inside, *inside.parents}:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - OWN


def test_the_library_imports_only_what_it_installs():
    assert imported("voice", without=SERVER | LOCAL) <= promised()


def test_the_server_imports_only_what_its_extra_installs():
    served = set.union(*(imported(str(path)) for path in SERVER))
    assert served <= promised() | promised("serve")


def test_the_library_installs_only_what_it_uses():
    carriers = {"faster_whisper"}  # not imported: the file of the speech detector lies in it
    assert promised() - carriers <= imported("voice", without=SERVER | LOCAL)


@pytest.mark.parametrize(
    ("folder", "extra"),
    [
        ("app", "app"),
        ("page", "app"),
        ("data", "train"),
        ("recipes", "train"),
        ("voice/agent/local", "local"),
    ],
)
def test_what_else_is_imported_comes_with_its_extra(folder, extra):
    assert imported(folder) <= promised() | promised(extra) | promised("serve") | promised("scores")


def test_there_is_nothing_copyleft_among_what_is_installed_for_inference():
    """GPL would bind whoever ships this library in an application; LGPL does not, as long as it is linked."""
    from importlib.metadata import metadata

    for name in sorted(re.match(r"[\w-]+", each)[0] for each in PROJECT["dependencies"]):
        about = metadata(name)
        licenses = f"{about.get('License-Expression', '')} {about.get('License', '')[:100]}"
        assert not re.search(r"(?<!L)GPL", licenses), f"{name}: {licenses}"
