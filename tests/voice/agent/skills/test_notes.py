"""Notes that stay."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import pytest

from voice.agent import Offline
from voice.agent.skills.everyday import everyday_skills
from voice.agent.skills.notes import LONGEST_NOTE, Notes, default_path
from voice.agent.skills.runner import SkillRunner
from voice.errors import VoiceError
from voice.types import Message

NOW = datetime(2026, 11, 22, 15, 5, 33)


def ask(notes: Notes, *requests: str) -> list[str]:
    """What the agent says to one request after the other."""
    brain = Offline(SkillRunner(everyday_skills(), notes=notes, clock=lambda: NOW))
    said: list[Message] = []
    for request in requests:
        said.append(Message("user", request))
        said.append(Message("assistant", "".join(brain.reply(said))))
    return [each.content for each in said if each.role == "assistant"]


def test_a_note_is_there_in_the_next_conversation(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "notes.md"
    assert ask(Notes(path), "Please take a note: call Dr. Meier, tomorrow!") == [
        "Noted: Call Dr. Meier, tomorrow."
    ]
    assert path.read_text("utf-8") == "- 2026-11-22 15:05 call Dr. Meier, tomorrow\n"
    assert ask(Notes(path), "What are my notes?") == ["You have 1 note: Call Dr. Meier, tomorrow."]
    assert [each.name for each in path.parent.iterdir()] == ["notes.md"]


def test_notes_are_found_and_deleted(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.md")
    said = ask(
        notes,
        "Take a note that the key is under the mat.",
        "Remember to buy two lemons.",
        "Note down the Wi-Fi is called Igloo.",
        "Do I have a note about lemon?",
        "Find my notes about keys.",
        "Delete the note about lemons, please.",
        "Delete my last note.",
        "Read me my notes.",
        "What did I note about cheese?",
    )
    assert said == [
        "Noted: The key is under the mat.",
        "Noted: Buy two lemons.",
        "Noted: The Wi-Fi is called Igloo.",
        "You have 1 note: Buy two lemons.",
        "You have 1 note: The key is under the mat.",
        "Deleted: Buy two lemons.",
        "Deleted: The Wi-Fi is called Igloo.",
        "You have 1 note: The key is under the mat.",
        "No note is about cheese.",
    ]


def test_all_notes_are_deleted_only_when_that_is_confirmed(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.md")
    ask(notes, "Take a note: one.", "Take a note: two.")
    assert ask(notes, "Delete all my notes.", "What time is it?", "Yes, delete them all.")[0].startswith(
        "Shall"
    )
    assert len(notes.all) == 2
    assert ask(notes, "Delete all my notes.", "Yes, delete them all.")[1] == "2 notes deleted."
    assert not notes.all


def test_what_a_person_wrote_into_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("# Mine\n\n- 2026-01-02 03:04 old\n- no date\n")
    notes = Notes(path)
    notes.add("new", NOW)
    notes.delete(lambda note: note.text == "old")
    assert path.read_text() == "# Mine\n\n- no date\n- 2026-11-22 15:05 new\n"


def test_what_cannot_be_noted_is_said(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.md")
    assert ask(notes, "Take a note: " + "very " * LONGEST_NOTE) == ["That is too long for a note."]
    with pytest.raises(VoiceError, match="cannot be read"):
        Notes(tmp_path).add("x", NOW)
    (tmp_path / "file").touch()
    with pytest.raises(VoiceError, match="cannot be"):
        Notes(tmp_path / "file" / "notes.md").add("x", NOW)


def test_a_failed_write_leaves_the_old_notes_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    notes = Notes(tmp_path / "notes.md")
    notes.add("one", NOW)

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(VoiceError, match="disk full"):
        notes.add("two", NOW)
    assert [each.text for each in notes.all] == ["one"]
    assert [each.name for each in tmp_path.iterdir()] == ["notes.md"]


def test_conversations_at_the_same_time_lose_no_note(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.md")
    threads = [threading.Thread(target=notes.add, args=(f"note {i}", NOW)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes.all) == 20


def test_the_place_of_notes_can_be_chosen(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOICE_NOTES", str(tmp_path / "mine.md"))
    assert default_path() == tmp_path / "mine.md"
    monkeypatch.delenv("VOICE_NOTES")
    assert default_path().name == "notes.md"
