"""Questions about the text files in a folder."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from voice.agent import Offline
from voice.agent.brains.choice import NOT_IN_FILES
from voice.agent.language.stems import stems
from voice.agent.skills.documents import Documents, passages_of
from voice.agent.skills.everyday import everyday_skills
from voice.agent.skills.runner import SkillRunner
from voice.agent.speaking.plain_text import TextForSpeech, text_for_speech
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
    brain = Offline(SkillRunner(everyday_skills(), documents=Documents(folder)))

    def ask(question: str) -> str:
        return "".join(brain.reply([Message("user", question)]))

    assert ask("When is check-out?") == "In handbook.md: “Check-out is at 11 o'clock.”"
    assert ask("What do my files say about lemonade?").startswith("In recipes.txt: “Squeeze four lemons")
    assert ask("Who won the world cup in football?") == NOT_IN_FILES
    assert ask("What is two plus two?") == "4."
    assert ask("Which files do you have?") == "I can look in 3 files."


CODE = {
    "fence.md": "A zebra is striped.\n\n```python\nzebra_one = load('zebra')\n\nprint zebra\n```\n",
    "open.md": "A zebra is fast.\n\n```sh\nmake zebra\n\nzebra zebra zebra\n",
    "tildes.md": "A zebra eats grass.\n\n~~~\nzebra sleeps\n~~~\n",
    "quoted.md": "> A zebra sees well.\n>\n> ```\n> zebra run\n> ```\n",
    "indented.md": "A zebra is a mammal.\n\n    make zebra\n    zebra zebra\n",
    "item.md": "- A zebra drinks.\n\n  ```\n  zebra start\n  ```\n",
    "literal.rst": "A zebra kicks::\n\n    kick zebra\n\n    zebra again\n\nA zebra runs.\n",
    "directive.rst": "A zebra bites.\n\n.. code-block:: python\n   :x:\n\n   bite zebra\n\nA zebra is.\n",
    "source.org": "A zebra swims.\n\n#+begin_src sh\nswim zebra\n#+end_src\n",
    "listing.adoc": "A zebra jumps.\n\n[source,ruby]\n----\njump zebra\n----\n",
    "page.html": "<p>A zebra listens.</p><pre>hear zebra</pre><code>zebra()</code><script>zebra = 1</script>",
    "front.md": "---\ntitle: zebra\ntags: [zebra]\n---\n\nA zebra is black and white.\n",
    "inline.md": 'Write `<zebra name="x"/>` first. A zebra is big. Call zebra(1, 2). Set ZEBRA=1 before.\n',
    "plain.txt": "A zebra lives here.\n\nimport zebra\nzebra = Zebra(x=1)\nzebra.run()\n\n$ zebra --fast\n",
    "config.md": 'It is set so:\n\nzebra:\n  names: [a, b]\n  stripes: {"black": 1}\n\nA zebra dreams.\n',
    "table.md": '| zebra | code |\n|---|---|\n| stripes | `zebra={"a": 1}` |\n| legs | a zebra has four |\n',
}


@pytest.mark.parametrize("name", CODE)
def test_code_and_markup_are_never_quoted(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CODE[name])
    (tmp_path / "other.txt").write_text("\n\n".join(f"Paragraph {i} is about horses." for i in range(20)))
    found = Documents(tmp_path).search("zebra", 50)
    said = " ".join(each.text for each in found)
    assert found and all(re.fullmatch(r"(legs, )?a zebra [a-z ]+[.:]?", part) for part in sentences(said)), (
        said
    )


NEVER_ENDING = (
    "<pre>", "<!-- ", "|", "```\n", "~~~`", "a::\n", "a::\n\n", "<a ", "<p", "<", " --a", "[source]\n----\n",
    "[a](", "[a", "[^a", "`a", " ", "\t", "- ", "a. ", "Mr. ", "(a", "a=", "{", "\\", "&a", "http://", "中。",
)  # fmt: skip


def repeat_to_length(pieces: Sequence[str], size: int) -> str:
    return ("".join(pieces) * size)[:size]


def takes(text: str) -> float:
    """Seconds of this process that it takes to read a text."""
    begun = time.process_time()
    list(passages_of("odd.md", text))
    return time.process_time() - begun


@pytest.mark.parametrize("piece", [*NEVER_ENDING, *Random(5).sample([*combinations(NEVER_ENDING, 3)], 30)])
def test_what_never_ends_in_a_file_takes_time_in_proportion_to_its_size(piece: str | Sequence[str]) -> None:
    """Four times the text takes four times as long, not sixteen; the best of several tries counts."""
    short, long = repeat_to_length(piece, 15_000), repeat_to_length(piece, 60_000)
    assert any(takes(long) < 8 * takes(short) + 0.1 for _ in range(3))


def test_a_long_text_is_made_speakable_in_short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step copies what is left of a piece."""
    feed, sizes = TextForSpeech.feed, []

    def noted(stream: TextForSpeech, piece: str) -> str:
        sizes.append(len(piece))
        return feed(stream, piece)

    monkeypatch.setattr(TextForSpeech, "feed", noted)
    assert text_for_speech("of *words* " * 1000) == " ".join(["of words"] * 1000)
    assert max(sizes) < 2000 and sum(sizes) == 11_000


def test_a_picture_within_the_text_is_its_description(tmp_path: Path) -> None:
    picture = "iVBORw0KGgo" * 2000
    (said,) = passages_of(
        "a.md", f"The zebra is here. See ![a zebra](data:image/png;base64,{picture}) there."
    )
    assert said.text == "The zebra is here. See a zebra there."


def sentences(text: str) -> list[str]:
    return [each.lower() for each in re.split(r"(?<=[.:]) ", text) if each != "It is set so:"]


DOCS = Path(__file__).resolve().parents[4] / "docs"
NOT_IN_DOCS = """What is twelve times apples?
Who was the first person on the moon?
What is the capital of France?
Who won the world cup in football?
What is the weather like tomorrow?
What is the meaning of life?
How many people live in Berlin?
When does the train to Munich leave?
What is my name?
What did I say before?
What is the speed of light?
How far is the moon from the earth?
Read me the news.
Turn on the lights in the kitchen.
Call my mother.
Play some jazz.
Who painted the Mona Lisa?
How do I change a tire?
What is the stock price of Apple?
Do you speak Spanish?
Are you listening to me?
I want to go home.
That is not what I asked.
Open the window, please.""".splitlines()


@pytest.fixture(scope="module")
def manual() -> Documents:
    return Documents(DOCS)


@pytest.mark.parametrize("question", NOT_IN_DOCS)
def test_what_the_documents_do_not_say_is_not_answered_from_them(manual: Documents, question: str) -> None:
    assert manual.answer(question) is None


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("What does pitch do?", "pitch"),
        ("What is a lexicon for?", "lexicon"),
        ("What is voice.partial?", "stable"),
    ],
)
def test_what_the_documents_say_is(manual: Documents, question: str, word: str) -> None:
    found = manual.answer(question)
    assert found and word in found.text


def test_no_passage_of_the_documents_reads_like_code(manual: Documents) -> None:
    passages = [
        each for path in DOCS.glob("*.md") for each in passages_of(path.name, path.read_text("utf-8"))
    ]
    assert len(passages) > 60
    assert not [
        each.text for each in passages if re.search(r"[{}]|import |client\.\w|</|=\"|```|\|", each.text)
    ]


def test_skills_come_before_files(manual: Documents) -> None:
    brain = Offline(SkillRunner(everyday_skills(), documents=manual))
    assert "".join(brain.reply([Message("user", "What is 12x7?")])) == "84."
    known = "".join(brain.reply([Message("user", "Tell me everything that you can do.")]))
    assert known.startswith("I can do these things.")
    formats = "".join(brain.reply([Message("user", "Which file formats can the speaking command write?")]))
    assert formats == NOT_IN_FILES or "client" not in formats


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
