"""What pyproject.toml promises is what the code imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
OWN = {"voice", "data", "recipes", "benchmarks", "page", "app"}
NAMES = {
    "hibari-tts": "hibari",
    "pyyaml": "yaml",
    "pillow": "PIL",
    "ruamel-yaml": "ruamel",
    "scikit-learn": "sklearn",
}  # others are imported by their own name
SERVER = {Path("voice/serve"), Path("voice/cli/serve.py")}  # wants its own extra
HUB = {Path(f"voice/{room}/hub") for room in ("models", "asr", "tts")}  # what torch runs
LOCAL = {Path("voice/agent/brains/local_model.py"), *HUB}  # too
SETTINGS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]


def required_modules(extra: str | None = None) -> set[str]:
    wanted = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    names = {re.match(r"[\w-]+", each)[0] for each in wanted}
    return {NAMES.get(name, name.replace("-", "_")) for name in names}


def imported_modules(folder: str, without: set[Path] = frozenset()) -> set[str]:
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
    assert imported_modules("voice", without=SERVER | LOCAL) <= required_modules()


def test_the_server_imports_only_what_its_extra_installs():
    served = set.union(*(imported_modules(str(path)) for path in SERVER))
    assert served <= required_modules() | required_modules("serve")


def test_the_library_installs_only_what_it_uses():
    carriers = {"faster_whisper"}  # not imported: the file of the speech detector lies in it
    assert required_modules() - carriers <= imported_modules("voice", without=SERVER | LOCAL)


@pytest.mark.parametrize(
    ("folder", "extra"),
    [
        ("app", "app"),
        ("page", "app"),
        ("data", "train"),
        ("recipes", "train"),
        ("voice/agent/brains/local_model", "local"),
        *((str(path), "train") for path in sorted(HUB)),  # of which "local" is enough for transformers
    ],
)
def test_what_else_is_imported_comes_with_its_extra(folder, extra):
    available = (required_modules(each) for each in (None, extra, "serve", "scores", "parquet"))
    assert imported_modules(folder) <= set.union(*available)


def test_there_is_nothing_copyleft_among_what_is_installed_for_inference():
    """GPL would bind whoever ships this library in an application; LGPL does not, as long as it is linked."""
    from importlib.metadata import metadata

    for name in sorted(re.match(r"[\w-]+", each)[0] for each in PROJECT["dependencies"]):
        about = metadata(name)
        licenses = f"{about.get('License-Expression', '')} {about.get('License', '')[:100]}"
        assert not re.search(r"(?<!L)GPL", licenses), f"{name}: {licenses}"


def locked_packages(name: str) -> dict[str, str]:
    """The packages of a constraints file: name → version and hashes, as they stand there."""
    text = (CHECKOUT / name).read_text("utf-8")
    found = re.findall(r"^([a-z0-9-]+)==(.*?)(?=^[a-z]|\Z)", text, re.M | re.S)
    assert len(found) == len(dict(found)), "a package has two versions"
    return dict(found)


def files_of(entry: str) -> str:
    """A package's version and hashes, without the systems for which it is asked for."""
    return re.sub(r" ;.*?(?= \\\n)", "", entry)


def required_packages(*extras: str) -> set[str]:
    """The names of the packages that these extras and everyone ask for, as an index writes them."""
    rows = PROJECT["dependencies"] + [each for e in extras for each in PROJECT["optional-dependencies"][e]]
    names = {re.match(r"[\w-]+", each)[0].lower().replace("_", "-") for each in rows}
    return names - {"voice"} | (required_packages("serve") if "app" in extras else set())


@pytest.mark.parametrize(
    ("name", "extras"),
    [("constraints-app.txt", ["app"]), ("constraints.txt", ["app", "train", "test"])],
)
def test_all_that_is_asked_for_is_installed_by_its_hashes(name, extras):
    files = locked_packages(name)
    missing = required_packages(*extras) - files.keys()
    assert not missing, f"{name} lacks {', '.join(missing)}; run make constraints"
    assert all("--hash=sha256:" in each for each in files.values())
    text = (CHECKOUT / name).read_text("utf-8")
    assert "://" not in text and "--index-url" not in text and " @ " not in text


def test_what_make_run_installs_is_the_same_and_has_no_torch():
    app, everything = locked_packages("constraints-app.txt"), locked_packages("constraints.txt")
    assert {name: files_of(each) for name, each in app.items()}.items() <= {
        name: files_of(each) for name, each in everything.items()
    }.items()
    assert not [name for name in app if re.match("torch|nvidia|triton", name)]


def test_the_notice_names_the_copyleft_libraries_in_the_wheels():
    import av

    carried = Path(av.__file__).parents[1] / "av.libs"
    found = [name for name in ("x264", "x265") if list(carried.glob(f"lib{name}*"))]
    notice = (CHECKOUT / "NOTICE").read_text("utf-8")
    assert "libsoxr" in notice and all(f"lib{name}" in notice for name in found)


def test_whoever_installs_it_gets_its_types():
    assert (CHECKOUT / "voice" / "py.typed").read_text("utf-8") == ""  # all of the package, not a part
    assert "py.typed" in SETTINGS["tool"]["setuptools"]["package-data"]["voice"]


@pytest.mark.parametrize("package", ["voice", "data", "recipes"])
def test_every_file_beside_the_code_is_installed_with_it(package):
    patterns = SETTINGS["tool"]["setuptools"]["package-data"][package]
    kept = {path for pattern in patterns for path in (CHECKOUT / package).glob(pattern)}
    found = {path for path in (CHECKOUT / package).rglob("*") if path.is_file()}
    left = {path for path in found - kept if path.suffix not in (".py", ".pyc", ".md")}
    assert not left


def test_what_voice_data_and_voice_train_import_is_installed():
    from setuptools import find_namespace_packages

    include = SETTINGS["tool"]["setuptools"]["packages"]["find"]["include"]
    installed = set(find_namespace_packages(str(CHECKOUT), include=include))
    for package in ("voice", "data", "recipes"):
        for path in (CHECKOUT / package).rglob("*.py"):
            assert ".".join(path.parent.relative_to(CHECKOUT).parts) in installed, path
