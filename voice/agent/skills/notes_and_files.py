"""Notes, and questions about the files in a folder."""

from __future__ import annotations

from typing import Annotated

from voice.agent.language.stems import stems
from voice.agent.language.wording import capitalize_first, count_of
from voice.agent.skills.documents import DocumentPassage
from voice.agent.skills.notes import Note
from voice.agent.skills.parameters import Verbatim
from voice.agent.skills.registry import Context, skill

NO_NOTES = "I have no place for notes here."
MOST_READ_ALOUD = 10


@skill(
    "[take, make, add, write, save, create] (a, another, this) note (down) (that, to, of, saying) $text",
    "[note, jot, write] (down) (that) $text",
    "make a note (of) $text",
    "note to self $text",
    "[remember, do not forget, don't forget] (that, this, to) $text",
    "[add, put] $text [to, in, on, into] my notes",
    effect=True,
)
def take_note(text: Annotated[Verbatim, "what to note, in the person's words"], context: Context) -> str:
    """Take a note."""
    if context.notes is None:
        return NO_NOTES
    try:
        note = context.notes.add(text, context.now)
    except ValueError as error:
        return str(error)
    noted = "Noted" if context.notes.are_kept else "Noted for this conversation"
    return f"{noted}: {_as_sentence(note.text)}"


@skill(
    "[read, list, show, tell] (me) (all) (my, the) notes (to me, out, aloud)",
    "what [are, is in, is on] my notes",
    "[do i have, have i got, are there] (any) notes",
    "what [notes do i have, did i note, have i noted] (down)",
    "what did i [write down, ask you to remember, tell you to remember]",
    "my notes",
    "remind me of my notes",
)
def read_notes(context: Context) -> str:
    """Read your notes."""
    if context.notes is None:
        return NO_NOTES
    return _read_aloud(context.notes.all, "You have no notes.")


@skill(
    "[find, read, show, search] (me) (my, the, all) [note, notes] [about, on, with, for] $topic",
    "what did i [note, write down, say, write] about $topic",
    "[do i have, is there] (a, any) [note, notes] [about, on, with] $topic",
    "[search, look in] my notes for $topic",
)
def find_notes(topic: str, context: Context) -> str:
    """Find a note about something."""
    if context.notes is None:
        return NO_NOTES
    return _read_aloud(
        [each for each in context.notes.all if _is_about(each, topic)], f"No note is about {topic}."
    )


@skill(
    "[delete, remove, erase, forget, drop] (my, the) [last, latest, newest] note",
    "[delete, remove, erase, forget, drop] that note",
    effect=True,
)
def drop_last_note(context: Context) -> str:
    """Delete the last note."""
    notes = context.notes.all if context.notes else ()
    if context.notes is None or not notes:
        return "There is no note to delete."
    context.notes.delete(lambda note: note == notes[-1])
    return f"Deleted: {_as_sentence(notes[-1].text)}"


@skill(
    "[delete, remove, erase, forget, drop] (my, the, all, all my) [note, notes] [about, on, with] $topic",
    effect=True,
)
def drop_notes(topic: str, context: Context) -> str:
    """Delete notes about something."""
    gone = context.notes.delete(lambda note: _is_about(note, topic)) if context.notes else ()
    if not gone:
        return f"No note is about {topic}."
    return f"Deleted: {' '.join(_as_sentence(each.text) for each in gone)}"


@skill(
    "[delete, remove, erase, forget, drop, clear] (all) (of) (my, the) notes",
    "[delete, remove, erase, forget, drop, clear] all notes",
    offered=False,
)
def drop_all_notes(context: Context) -> str:
    """Delete all notes, once you have confirmed it."""
    count = len(context.notes.all) if context.notes else 0
    if not count:
        return "There is no note to delete."
    return f"{DELETION_QUESTION} {count_of(count, 'note')}? Say: yes, delete them all."


DELETION_QUESTION = "Shall I delete"


@skill(
    "yes (please) (delete, erase, remove) (them, it, all) (all, notes) (please)", effect=True, offered=False
)
def confirm_dropping(context: Context) -> str | None:
    """Delete all notes after all."""
    if not context.notes or not context.last.startswith(DELETION_QUESTION):
        return None
    return f"{count_of(len(context.notes.delete(lambda note: True)), 'note')} deleted."


@skill(
    "what [do, does] (the, my) [files, documents, folder, file, document] say about $question",
    "[search, look in, look through, check, ask] (the, my) [files, documents, folder] (for, about) $question",
    "[look up, find] $question in (the, my) [files, documents, folder]",
    "look up $question",
    offered=False,
)
def ask_files(question: Verbatim, context: Context) -> str | None:
    """Answer questions from the files in your folder."""
    found = context.documents.search(question) if context.documents else []
    return _quote(found[0]) if found else None


@skill("$question", offered=False)
def answer_from_files(question: Verbatim, context: Context) -> str | None:
    """Answer what may be a question about your files."""
    found = context.documents.answer(question) if context.documents else None
    return _quote(found) if found else None


@skill()
def search_files(
    question: Annotated[Verbatim, "the question, or words that the answer should hold"], context: Context
) -> str | None:
    """Search the person's own files for passages; name the file when you answer from one."""
    found = context.documents.search(question, 3) if context.documents else []
    return "\n".join(f"{each.file}: {each.text}" for each in found) or None


@skill("[what, which] [files, documents] [do you have, do you know, are there, are in the folder]")
def list_files(context: Context) -> str:
    """Say how many files you can be asked about."""
    if context.documents is None:
        return "I have no folder of files to look in."
    count = context.documents.refresh()
    return f"I can look in {count_of(count, 'file')}."


def _quote(passage: DocumentPassage) -> str:
    """Return a passage with the name of its file."""
    return f"In {passage.file.rpartition('/')[2]}: “{passage.text}”"


def _is_about(note: Note, topic: str) -> bool:
    """Tell whether a note has all the words of a topic, whatever their inflection."""
    wanted = set(stems(topic))
    return bool(wanted) and wanted <= set(stems(note.text))


def _read_aloud(notes: tuple[Note, ...] | list[Note], none: str) -> str:
    """Return notes as text to be read aloud, only the newest if they are many."""
    if not notes:
        return none
    text = " ".join(_as_sentence(note.text) for note in notes[-MOST_READ_ALOUD:])
    if len(notes) > MOST_READ_ALOUD:
        return f"You have {len(notes)} notes. The last {MOST_READ_ALOUD} are: {text}"
    return f"You have {count_of(len(notes), 'note')}: {text}"


def _as_sentence(text: str) -> str:
    """Return a text with a capital at its beginning and a mark at its end."""
    text = capitalize_first(text)
    return text if text.endswith((".", "!", "?")) else f"{text}."
