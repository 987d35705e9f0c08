"""Models of one's own: where they lie, how they are found, listed and deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.cli import run

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.models import card as cards
from voice.models import catalog, lookup, own
from voice.models.card import Card


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def made(folder, name="anna", kind="voice", **more):
    """A model folder as an export writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.onnx").write_bytes(b"weights of " + name.encode())
    about = Card(name, kind, "acoustic", 24_000, "en", "CC0-1.0", "made here", **more)
    cards.write_card(folder, replace(about, files=cards.hashes(folder, ["weights.onnx"])))
    return folder


def test_an_installed_model_is_found_by_its_name(tmp_path, home):
    place = own.install(made(tmp_path / "made"), "anna")
    assert place == home / "own" / "anna"
    assert lookup.find("anna").folder == place
    assert catalog.entries()["anna"].own and catalog.entries()["anna"].in_place


def test_what_was_there_before_stays_beside_it(tmp_path):
    own.install(made(tmp_path / "first"), "anna")
    place = own.install(made(tmp_path / "second"), "anna")
    assert (place.parent / ".anna.before" / "weights.onnx").exists()
    assert list(own.own_cards()) == [place]


def test_a_broken_installation_changes_nothing(tmp_path, monkeypatch):
    place = own.install(made(tmp_path / "first"), "anna")

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own.shutil, "copyfile", full)
    with pytest.raises(ModelError, match="make room"):
        own.install(made(tmp_path / "second"), "anna")
    assert (place / "weights.onnx").read_bytes() == b"weights of anna"


def test_a_card_with_another_name_is_not_installed(tmp_path):
    with pytest.raises(ModelDamaged, match="calls the model anna, not berta"):
        own.install(made(tmp_path / "made"), "berta")


@pytest.mark.parametrize("name", ["heart", "quick", "whisper-base", "vocoder"])
def test_names_of_models_that_come_with_voice_are_refused(name):
    with pytest.raises(ModelError, match="choose another name"):
        catalog.check_new_name(name)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "con", "a" * 200])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ModelDamaged, match="cannot be a name"):
        catalog.check_new_name(name)


def test_a_model_called_like_a_shipped_one_never_replaces_it(home):
    made(home / "own" / "heart", "heart")
    assert not catalog.entries()["heart"].own
    assert catalog.entries()["heart"].home != home / "own" / "heart"


def test_damaged_ones_are_told_and_harm_nothing(tmp_path, home):
    own.install(made(tmp_path / "made"), "anna")
    (home / "own" / "torn").mkdir()
    (home / "own" / "torn" / "model.toml").write_text("name = ")
    made(home / "own" / "renamed", "otto")
    done = run("models")
    assert done.exit_code == 0 and "anna" in done.stdout
    assert "torn" in done.stderr and "its card calls it otto" in done.stderr
    assert "otto" not in catalog.entries()


def test_voices_and_models_list_what_is_ones_own(tmp_path):
    own.install(made(tmp_path / "anna"), "anna")
    own.install(made(tmp_path / "shop", "shop", "recognizer"), "shop")
    voices = {line.split()[0]: line for line in run("voices").stdout.splitlines()}
    models = {line.split()[0]: line for line in run("models").stdout.splitlines() if line}
    assert "yours" in voices["anna"] and "shop" not in voices and "heart" in voices
    assert "yours" in models["anna"] and "yours" in models["shop"]


def test_only_own_deletes_ones_own_model(tmp_path):
    place = own.install(made(tmp_path / "made"), "anna")
    done = run("models", "remove", "anna")
    assert done.exit_code == 1 and "--own deletes it" in done.stderr and place.is_dir()
    assert run("models", "remove", "anna", "--own").exit_code == 0
    assert not place.exists()
    with pytest.raises(ModelMissing):
        lookup.find("anna")
    assert "none of your own" in run("models", "remove", "heart", "--own").stderr


def test_a_model_cannot_derive_from_itself_nor_from_ones_own(tmp_path):
    with pytest.raises(ModelDamaged, match="cannot derive from itself"):
        made(tmp_path / "made", "quick", "recognizer", options={"base": "quick"})
    own.install(made(tmp_path / "anna", "anna", "recognizer"), "anna")
    own.install(made(tmp_path / "shop", "shop", "recognizer", options={"base": "anna"}), "shop")
    assert not catalog.entries()["shop"].in_place
    with pytest.raises(ModelDamaged, match="which is none of"):
        lookup.find("shop")


def test_what_was_derived_is_listed_and_removed_by_its_name(home):
    derived = made(home / "models" / "shop-0123456789ab", "shop", "recognizer")
    made(home / "models" / "hf--org--name--0123456789ab", "name", "recognizer")
    listed = run("models").stdout
    assert "shop-0123456789ab" in listed and "hf--org" not in listed
    assert run("models", "remove", "shop-0123456789ab").exit_code == 0
    assert not derived.exists()


def test_the_place_follows_the_account_where_voice_home_is_not_set(monkeypatch, tmp_path):
    monkeypatch.delenv("VOICE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(own.sys, "platform", "linux")
    assert own.own_home() == tmp_path / "data" / "voice" / "models"
