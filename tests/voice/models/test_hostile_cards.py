"""Model folders and repositories from strangers: no card reads, writes, deletes or fetches anything else."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.loading import load
from voice.models import cache, catalog, fetch, lookup
from voice.models import card as cards
from voice.models.card import Card
from voice.models.hub.names import hub_folder

WEIGHTS = b"weights of the base"
PLAIN = 'kind = "recognizer"\nengine = "whisper"\nrate = 16000\nlanguage = "en"\nlicense = "MIT"\n'
OWNS = {"adapter.safetensors": b"difference"}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch) -> Path:
    """A home with files of a person, a cache in it, and a base to derive from; its folders are as deep as
    those of the attack."""
    home = tmp_path / "home"
    cache = home / ".cache" / "voice"
    monkeypatch.setenv("VOICE_HOME", str(cache))
    for name in ("Pictures/album-aaaaaaaaaaaa", ".config/app/profile-0123456789ab", "Pictures/album"):
        (home / name).mkdir(parents=True)
        (home / name / "mine.txt").write_text("mine")
    (home / ".bashrc").write_text("mine")
    base = Card("parrot", "recognizer", "whisper", 16_000, "en", "MIT", files={"model.bin": sha(WEIGHTS)})
    folder = cache / "models" / "parrot"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(WEIGHTS)
    cards.write_card(folder, base)
    known = {"parrot": catalog.Entry(base, 1, folder, (fetch.Hub("org/parrot"),))}
    monkeypatch.setattr(catalog, "entries", lambda: known)
    monkeypatch.setattr("voice.models.adapter.derive", merge)
    monkeypatch.setattr(fetch, "hub_download", refuse)
    return home


def merge(base: Path, adapter: Path, out: Path) -> None:
    shutil.copyfile(base / "model.bin", out / "model.bin")


def refuse(*_: object) -> None:
    raise AssertionError("this must not be fetched")


def home_files(home: Path) -> dict[str, bytes | None]:
    """All that lies in a person's home, but for the cache."""
    found = {
        path.relative_to(home): path.read_bytes() if path.is_file() else None for path in home.rglob("*")
    }
    return {str(path): content for path, content in found.items() if path.parts[0] != ".cache"}


def derived_models(home: Path) -> list[str]:
    models = home / ".cache" / "voice" / "models"
    return sorted(path.name for path in models.iterdir() if path.name != "parrot")


def write(folder: Path, top: str, rest: str = "", files: dict[str, bytes] = OWNS) -> Path:
    """A stranger's folder: `top` of its card before the plain lines, `rest` after them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "model.toml").write_text(f"{top}\n{PLAIN}{rest}", "utf-8")
    return folder


def files_of(files: dict[str, bytes]) -> str:
    rows = [f"'{name}' = '{sha(content)}'" for name, content in files.items()]
    return "\n[files]\n" + "\n".join(rows) + "\n"


BASED = "\n[options]\nbase = 'parrot'\n"
NAMES = [
    "../../../../.bashrc",
    "..\\\\..\\\\.bashrc",
    "/etc/passwd",
    "C:evil",
    "sub/file",
    "..",
    ".",
    ".hidden",
    "",
    "a\\u0000b",
    "model.toml",
    "NUL.txt",
    "x" * 300,
    "*",
    "a b",
]


@pytest.mark.parametrize("door", ["folder", "hub"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_a_card_lies_in_its_own_folder(machine, tmp_path, monkeypatch, door, name):
    before = home_files(machine)
    files = f'\n[files]\n"adapter.safetensors" = "{sha(b"difference")}"\n"{name}" = "{sha(b"evil")}"\n'
    stranger = tmp_path / "nice" / "a" / "b" / "c" / "evil"
    (tmp_path / "nice").mkdir()
    (tmp_path / "nice" / ".bashrc").write_bytes(b"evil")
    write(stranger, 'name = "nice"', files + BASED)
    with pytest.raises(ModelDamaged, match="cannot be a name here|with its sha256|control characters"):
        lookup.find(model_name(stranger, door, monkeypatch))
    assert home_files(machine) == before


def model_name(folder: Path, door: str, monkeypatch) -> str:
    """The name by which a model is asked for: its folder, or the repository of the Hub that has its files."""
    if door == "folder":
        return str(folder)

    def from_hub(source: fetch.Hub, stage: Path, *_: object) -> None:
        shutil.copytree(folder, stage, symlinks=True, dirs_exist_ok=True)

    monkeypatch.setattr(fetch, "hub_repository", from_hub)
    return "hf:stranger/nice"


@pytest.mark.parametrize("door", ["folder", "hub"])
@pytest.mark.parametrize(
    "name",
    [
        "../../../**/*",
        "../../../Pictures/album",
        "*",
        "?????",
        "[a-z]*",
        "a/b",
        "..",
        "",
        "nice\\n",
        "hf--x/y",
    ],
)
def test_the_name_of_a_card_writes_and_deletes_nothing_elsewhere(machine, tmp_path, monkeypatch, door, name):
    kept = machine / ".cache" / "voice" / "models" / "parrot-aaaaaaaaaaaa"
    kept.mkdir()
    before = home_files(machine)
    stranger = write(tmp_path / "evil", f'name = "{name}"', files_of(OWNS) + BASED)
    with pytest.raises(ModelDamaged):
        lookup.find(model_name(stranger, door, monkeypatch))
    assert home_files(machine) == before and kept.is_dir()


def test_a_stranger_who_takes_the_name_of_another_model_leaves_its_folders_alone(machine, tmp_path):
    kept = machine / ".cache" / "voice" / "models" / "nice-aaaaaaaaaaaa"
    kept.mkdir()
    first, second = (
        write(tmp_path / place, 'name = "nice"', files_of({"adapter.safetensors": content}) + BASED, files)
        for place, content in (("one", b"1"), ("two", b"2"))
        for files in [{"adapter.safetensors": content}]
    )
    folders = [lookup.find(str(place)).folder for place in (first, second, first)]
    assert folders[0] == folders[2] != folders[1]
    assert all(folder.is_dir() for folder in (*folders, kept))


def test_a_new_version_of_a_folder_replaces_what_was_derived_from_the_older_one(machine, tmp_path):
    for content in (b"1", b"2"):
        files = {"adapter.safetensors": content}
        folder = lookup.find(str(write(tmp_path / "mine", 'name = "mine"', files_of(files) + BASED, files)))
    assert derived_models(machine) == [folder.folder.name]
    assert lookup.remove(str(tmp_path / "mine")) > 0
    assert derived_models(machine) == [] and (tmp_path / "mine" / "adapter.safetensors").is_file()


def test_what_is_derived_from_a_repository_goes_with_it(machine, tmp_path, monkeypatch):
    stranger = write(tmp_path / "nice", 'name = "nice"', files_of(OWNS) + BASED)
    name = model_name(stranger, "hub", monkeypatch)
    lookup.find(name)
    assert len(derived_models(machine)) == 2
    lookup.remove(name)
    assert derived_models(machine) == []


@pytest.mark.parametrize("door", ["folder", "hub"])
@pytest.mark.parametrize("base", ["hf:evil/base", "evil/base", "./other", "nice", "..", "", "nobody", "~/x"])
def test_a_card_derives_from_the_catalog_alone(machine, tmp_path, monkeypatch, door, base):
    write(tmp_path / "other", 'name = "other"', files_of(OWNS))
    options = f"\n[options]\nbase = '{base}'\n"
    stranger = write(tmp_path / "nice", 'name = "nice"', files_of(OWNS) + options)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelDamaged, match="cannot be a name here|none of parrot|derive from itself"):
        lookup.find(model_name(stranger, door, monkeypatch))


def test_bases_in_a_circle_end(machine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, base in (("one", "two"), ("two", "one"), ("self", "self")):
        write(tmp_path / name, f'name = "{name}"', files_of(OWNS) + f"\n[options]\nbase = '{base}'\n")
        with pytest.raises(ModelDamaged, match="none of parrot|derive from itself"):
            lookup.find(name)


@pytest.mark.parametrize("graphs", ["../kathleen", "/etc", "../..", "."])
def test_a_strangers_voice_brings_its_own_graphs(tmp_path, graphs):
    stranger = write(tmp_path / "nice", 'name = "nice"', f"\n[options]\ngraphs = '{graphs}'\n")
    with pytest.raises(ModelDamaged, match="share the graphs"):
        lookup.find(str(stranger))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate = 16000", "rate = nan"),
        ("rate = 16000", "rate = -16000"),
        ("rate = 16000", "rate = 0"),
        ("rate = 16000", "rate = true"),
        ("rate = 16000", "rate = 1" + 30 * "0"),
        ("rate = 16000", "rate = 1" + 5000 * "0"),
        ("rate = 16000", "rate = 16000\noptions = " + 5000 * "[" + 5000 * "]"),
        ("rate = 16000", "rate = 16000\nscores = {when = 2026-01-01}"),
        ('language = "en"', 'language = "\\u001b]0;title\\u0007"'),
        ('language = "en"', "language = ['en']"),
        ('language = "en"', 'language = "en"\ndescription = "' + 2_000_000 * "x" + '"'),
        ('language = "en"', "language = '\0'"),
    ],
)
def test_a_card_that_makes_no_sense_is_damaged_and_nothing_worse(tmp_path, old, new):
    folder = write(tmp_path / "nice", 'name = "nice"')
    path = folder / "model.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ModelDamaged, match=r"model\.toml") as failure:
        lookup.find(str(folder))
    assert len(str(failure.value)) < 500


def test_what_is_no_file_is_no_card(tmp_path):
    folder = write(tmp_path / "nice", 'name = "nice"')
    (folder / "model.toml").unlink()
    os.mkfifo(folder / "model.toml")  # opening it would wait for ever
    with pytest.raises(ModelMissing, match=r"no model\.toml"):
        lookup.find(str(folder))


def test_what_is_no_file_is_no_file_of_a_card(tmp_path):
    folder = write(tmp_path / "nice", 'name = "nice"', files_of(OWNS))
    (folder / "adapter.safetensors").unlink()
    os.mkfifo(folder / "adapter.safetensors")
    with pytest.raises(ModelDamaged, match="missing"):
        lookup.find(str(folder))


def test_a_link_to_another_file_is_taken_only_for_what_the_card_says_is_in_it(machine, tmp_path):
    """Snapshots of the Hub's own cache are links; a stranger's cannot know what it would read."""
    folder = write(tmp_path / "nice", 'name = "nice"', files_of(OWNS) + BASED)
    (folder / "adapter.safetensors").unlink()
    (folder / "adapter.safetensors").symlink_to(machine / ".bashrc")
    with pytest.raises(ModelDamaged, match="sha256 differs"):
        lookup.find(str(folder))
    assert derived_models(machine) == []


@pytest.mark.parametrize(
    "options",
    [
        "head = ['quick']",
        "context = 'sideways'",
        "context = 3",
        "confidence = 'high'",
        "confidence = {least = 'x'}",
        "confidence = {least = nan}",
    ],
)
def test_options_of_another_kind_are_damage_in_words(tmp_path, options):
    files = {"model.bin": b"", "tokenizer.json": b"{}"}
    folder = write(tmp_path / "nice", 'name = "nice"', f"\n[options]\n{options}\n", files)
    with pytest.raises(ModelDamaged, match=r"context|head|confidence"):
        load(str(folder))


@pytest.mark.parametrize(
    "speakers",
    [
        "{}",
        "{a = 1}",
        "{a = {pitch_mean = nan, pitch_spread = 0.1, energy_mean = 0.0, energy_spread = 1.0}}",
        "{a = {pitch_mean = 5.0, pitch_spread = 0.1, energy_mean = 0.0, energy_spread = 1.0, pace = 1e9}}",
        "{a = {pitch_mean = 5.0, pitch_spread = 0.1, energy_mean = 0.0, energy_spread = 1.0, pace = -1.0}}",
        "{a = {pitch_mean = 5.0, pitch_spread = 0.1, energy_mean = 0.0, energy_spread = 1.0, gain = 'loud'}}",
    ],
)
def test_speakers_that_nobody_could_be_are_damage(tmp_path, speakers):
    folder = write(tmp_path / "nice", 'name = "nice"', f"\n[options]\nspeakers = {speakers}\n")
    path = folder / "model.toml"
    path.write_text(path.read_text().replace('"recognizer"', '"voice"').replace('"whisper"', '"acoustic"'))
    with pytest.raises(ModelDamaged, match="speakers"):
        load(str(folder))


@pytest.mark.parametrize(
    "name",
    ["hf:org/name@../../x", "hf:org/..", "hf:../name", "hf:/name", "hf:org/", "hf:o*/n", "hf:a--b/c",
     "hf:org/name@", "hf:org/name@/etc", "hf:org/na\\me", "hf:org/name@a\0b", "hf:-org/name"],
)  # fmt: skip
def test_a_name_on_the_hub_is_no_path(machine, name):
    with pytest.raises(ModelMissing, match="not of the form"):
        lookup.find(name)
    with pytest.raises(ModelMissing, match="not of the form"):
        lookup.remove(name)


def test_two_names_on_the_hub_never_share_a_folder():
    names = ["hf:a/b", "hf:a/b@c", "hf:a/b@refs/pr/1", "hf:a/b@refs-pr-1", "hf:a/b-c", "hf:a-b/c"]
    assert len({hub_folder(name) for name in names}) == len(names)


def test_only_folders_of_the_cache_can_be_deleted(machine):
    with pytest.raises(ModelError, match="delete it yourself"):
        cache.discard(machine / "Pictures" / "album")
    link = machine / ".cache" / "voice" / "models" / "moved"
    link.symlink_to(machine / "Pictures")
    cache.discard(link)
    assert not link.is_symlink() and (machine / "Pictures" / "album" / "mine.txt").is_file()


def test_describing_a_folder_neither_fetches_nor_derives(machine, tmp_path):
    stranger = write(tmp_path / "nice", 'name = "nice"', files_of(OWNS) + BASED)
    shutil.rmtree(machine / ".cache" / "voice" / "models" / "parrot")
    assert lookup.find_stored(str(stranger)).card.options == {"base": "parrot"}
    assert derived_models(machine) == []


def test_nobody_writes_a_card_that_nobody_could_read(tmp_path):
    with pytest.raises(ModelDamaged, match="my model"):
        cards.write_card(tmp_path, Card("my model", "voice", "acoustic", 24_000, "en", "MIT"))
    with pytest.raises(ModelDamaged, match="other"):
        shared = {"../other/model.bin": sha(b"")}
        cards.write_card(tmp_path, Card("mine", "voice", "acoustic", 24_000, "en", "MIT", files=shared))
