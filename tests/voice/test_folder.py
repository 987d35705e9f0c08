"""Questions about the text files in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voice.agent import Offline
from voice.agent.brains import NOT_IN_FILES, Desk, everyday_skills
from voice.agent.folder import Documents, passages_of
from voice.agent.stems import stems
from voice.errors import VoiceError
from voice.types import Message

HANDBOOK = """# The house

The house was built in 1911. It has a slate roof.

## Heating

The boiler stands in the cellar. To restart the boiler, hold the red button for ten seconds.
If the pressure falls below one bar, open the blue valve until it reads 1.5 bar. Then close it.

## Guests

- The Wi-Fi password is "seven green lamps".
- Check-out is at 11 o'clock.
"""
RECIPES = """Pancakes

Mix two eggs, a cup of flour and a cup of milk. Let the batter rest for twenty minutes before frying.

Lemonade

Squeeze four lemons and dissolve half a cup of sugar in a liter of warm water.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handbook.md").write_text(HANDBOOK)
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "kitchen" / "recipes.txt").write_text(RECIPES)
    (tmp_path / "page.html").write_text(
        "<title>Bus</title><style>p {}</style><p>The number 12 bus leaves at ten past.</p><p>Every hour.</p>"
    )
    (tmp_path / ".hidden.txt").write_text("The boiler boiler boiler is secret.")
    (tmp_path / "photo.jpg").write_bytes(b"boiler")
    return tmp_path


@pytest.mark.parametrize(
    ("question", "file", "words"),
    [
        ("How do I restart the boiler?", "handbook.md", "hold the red button for ten seconds"),
        ("What's the Wi-Fi password?", "handbook.md", "seven green lamps"),
        ("When was the house built?", "handbook.md", "1911"),
        ("How many lemons do I need for the lemonade?", "kitchen/recipes.txt", "four lemons"),
        ("How long does pancake batter rest?", "kitchen/recipes.txt", "twenty minutes"),
        ("when does the number twelve bus leave", "page.html", "ten past"),
        ("What should I do when the pressure is low?", "handbook.md", "open the blue valve"),
    ],
)
def test_the_best_passage_answers(folder: Path, question: str, file: str, words: str) -> None:
    found = Documents(folder).search(question)[0]
    assert found.file == file
    assert words in found.text


def test_the_agent_quotes_with_the_name_of_the_file(folder: Path) -> None:
    brain = Offline(Desk(everyday_skills(), documents=Documents(folder)))

    def ask(question: str) -> str:
        return "".join(brain.reply([Message("user", question)]))

    assert ask("When is check-out?") == "In handbook.md: “Check-out is at 11 o'clock.”"
    assert ask("What do my files say about lemonade?").startswith("In recipes.txt: “Squeeze four lemons")
    assert ask("Who won the world cup in football?") == NOT_IN_FILES
    assert ask("What is two plus two?") == "4."
    assert ask("Which files do you have?") == "I can look in 3 files."


def test_nothing_is_quoted_where_nothing_answers(folder: Path) -> None:
    documents = Documents(folder)
    for question in ("", "What is the?", "Tell me about quantum chromodynamics", "the secret"):
        assert not documents.search(question)


def test_files_that_come_change_and_go_are_noticed(folder: Path) -> None:
    documents = Documents(folder)
    assert not documents.search("where is the ladder")
    (folder / "shed.txt").write_text("The ladder is in the shed.")
    assert documents.search("where is the ladder")[0].text == "The ladder is in the shed."
    (folder / "shed.txt").write_text("The ladder is in the garage.")
    os.utime(folder / "shed.txt", (1, 1))
    assert documents.search("where is the ladder")[0].text == "The ladder is in the garage."
    (folder / "shed.txt").unlink()
    assert not documents.search("where is the ladder")


def test_only_what_has_changed_is_read_again(folder: Path, monkeypatch) -> None:
    documents = Documents(folder)
    documents.refresh()
    read: list[str] = []
    genuine = Path.read_text

    def watched(path: Path, *arguments: object, **named: object) -> str:
        read.append(path.name)
        return genuine(path, *arguments, **named)

    monkeypatch.setattr(Path, "read_text", watched)
    documents.search("boiler")
    assert not read
    os.utime(folder / "handbook.md", (1, 1))
    documents.search("boiler")
    assert read == ["handbook.md"]


def test_bytes_that_are_no_text_and_links_do_no_harm(folder: Path) -> None:
    (folder / "noise.txt").write_bytes(bytes(range(256)) * 50)
    (folder / "link.txt").symlink_to("/etc/hostname")
    assert Documents(folder).refresh() == 4


def test_a_long_paragraph_is_cut_between_its_sentences() -> None:
    text = " ".join(f"Sentence number {i} has exactly eight words here." for i in range(40))
    parts = [each.text for each in passages_of("a.txt", text)]
    assert len(parts) > 5
    assert all(len(part.split()) < 80 and part.endswith(".") for part in parts)


def test_words_meet_in_all_their_forms() -> None:
    assert stems("Restarting the boilers") == stems("restart a boiler")
    assert stems("two point five bar") == stems("2.5 bar") == ["2.5", "bar"]
    assert stems("stopped, stopping, stops") == ["stop"] * 3
    assert stems("Cafés cities making 1,000 twenty-one") == ["caf", "city", "mak", "1000", "21"]


def test_a_folder_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="no folder"):
        Documents(tmp_path / "nowhere")
