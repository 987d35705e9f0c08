"""Questions about the text files in a folder: the passage that answers best, with its file's name.

Okapi BM25 (Robertson and Zaragoza, 2009) over passages of a few sentences of prose: code and markup are
left out. Files are read anew when they have changed; nothing is written. A folder that does not know should
not answer: a passage must hold a share of a question's weight between the two of `ENOUGH`, the first for a
small folder and the second for a large one, and words that weigh `TELLING` times one that stands in a single
passage. The fewer than `FEW` passages there are, the less a word tells that none of them holds, or all.
"""

from __future__ import annotations

import math
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from voice.agent.language.phrases import Request
from voice.agent.language.stems import stems
from voice.agent.skills.prose import prose_blocks, sentences_of
from voice.agent.speaking.plain_text import text_for_speech
from voice.errors import VoiceError
from voice.places import expanded
from voice.text.sentences import split_sentences

SUFFIXES = frozenset((".txt", ".text", ".md", ".markdown", ".rst", ".org", ".adoc", ".html", ".htm"))
LARGEST = 4 << 20  # bytes of a file
MOST_FILES = 5000
LONG = 60  # words of a passage, about; as many as one likes to hear at a time
ENOUGH, TELLING, FEW = (0.4, 0.6), 0.55, 8
K1, B = 1.2, 0.75
_MARKS = re.compile(
    r"^\s*(?:#{1,6}\s+|[-*+•]\s+|\d{1,3}[.)]\s+|>\s?|\.\.\s.*$|[=~^`-]{3,}\s*$)", re.MULTILINE
)
_NAMES = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")  # of programs, "first_audio_ms", which nobody asks for
_QUESTION = re.compile(
    r"(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|may|must|will"
    r"|would|has|have|had)\b"
)
_TO_YOU = re.compile(
    r"(?<!how do )(?<!where do )(?<!when do )(?<!what do )\b(?:you|your)\b"
)  # not "how do you"
_PIECES = re.compile(r"\n(?=\s*#)|(?<=\n)(?=\s*[-*•]\s|\s*\|)")


@dataclass(frozen=True)
class Passage:
    """Some sentences of a file; `about` is its title and the heading above, `file` its path in the folder."""

    file: str
    text: str
    about: str = ""


@dataclass(frozen=True)
class _File:
    stamp: tuple[int, int]  # when it was changed (ns), its size
    passages: tuple[Passage, ...]
    counts: tuple[Counter[str], ...]


class Documents:
    """The text files below a folder, hidden ones left out. May be asked from several threads."""

    def __init__(self, folder: str | Path) -> None:
        """Raises VoiceError where there is no such folder."""
        self.folder = expanded(folder)
        if not self.folder.is_dir():
            raise VoiceError(f"no folder at {folder}; give the folder of text files to be asked about")
        self._files: dict[str, _File] = {}
        self._holding: Counter[str] = Counter()  # how many passages hold a stem
        self._lock = threading.Lock()

    def refresh(self) -> int:
        """Reads what is new or changed; the number of files that can be asked about."""
        with self._lock:
            present = dict(_present(self.folder))
            for name in [each for each in self._files if each not in present]:
                self._forget(name)
            for name, stamp in present.items():
                if name not in self._files or self._files[name].stamp != stamp:
                    self._forget(name)
                    self._learn(name, stamp)
            return len(self._files)

    def search(self, question: str, most: int = 1) -> list[Passage]:
        """The passages that answer a question best, the best first; none where none does."""
        self.refresh()
        with self._lock:
            scored = sorted(self._scored(stems(question)), key=lambda row: -row[0])
        return [_sharpened(passage, question) for _, passage in scored[:most]]

    def answer(self, said: str) -> Passage | None:
        """The passage that answers what was said in a conversation; None where that does not ask about files.

        A question to the agent ("are you") does not, nor what is no question and meets a file in one word.
        """
        asked = " ".join(Request.of(said).without_courtesy().words)
        if _TO_YOU.search(asked):
            return None
        found = self.search(said)
        if found and not _QUESTION.match(asked):
            held = set(stems(said)) & set(stems(f"{found[0].about} {found[0].text}"))
            found = found if len(held) > 1 else []
        return found[0] if found else None

    def _learn(self, name: str, stamp: tuple[int, int]) -> None:
        passages = tuple(passages_of(name, _text(self.folder / name)))
        counts = tuple(Counter(stems(_NAMES.sub(" ", f"{each.about} {each.text}"))) for each in passages)
        self._files[name] = _File(stamp, passages, counts)
        for each in counts:
            self._holding.update(each.keys())

    def _forget(self, name: str) -> None:
        for each in self._files.pop(name, _File((0, 0), (), ())).counts:
            self._holding.subtract(each.keys())

    def _scored(self, question: Sequence[str]) -> Iterator[tuple[float, Passage]]:
        total = sum(len(file.counts) for file in self._files.values())
        words = sum(count.total() for file in self._files.values() for count in file.counts)
        usual, strict = (words / total if total else 1.0), total / (total + FEW)
        weights = {stem: _weight(self._holding[stem], total) for stem in question}
        share = ENOUGH[0] + strict * (ENOUGH[1] - ENOUGH[0])
        needed = share * sum(w if self._holding[stem] else strict * w for stem, w in weights.items())
        needed = max(needed, TELLING * strict * _weight(1, total))
        for file in self._files.values():
            for passage, counts in zip(file.passages, file.counts, strict=True):
                held = [stem for stem in weights if stem in counts]
                if held and sum(weights[stem] for stem in held) >= needed:
                    ease = K1 * (1 - B + B * counts.total() / usual)
                    parts = (weights[each] * counts[each] * (K1 + 1) / (counts[each] + ease) for each in held)
                    yield sum(parts), passage


def _weight(holding: int, total: int) -> float:
    """How much a stem tells: its inverse document frequency."""
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _present(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """The files that can be read, by their paths in the folder, with their stamps."""
    found = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            path = Path(root) / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES or path.is_symlink():
                continue
            try:
                state = path.stat()
            except OSError:
                continue  # gone meanwhile
            if state.st_size <= LARGEST and found < MOST_FILES:
                found += 1
                yield path.relative_to(folder).as_posix(), (state.st_mtime_ns, state.st_size)


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    if path.suffix.lower() in (".html", ".htm"):
        reader = _Words()
        reader.feed(text)
        return "".join(reader.words)
    return text


class _Words(HTMLParser):
    """The words of a page, a blank line after each block."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("script", "style", "pre")
        self.words += ["`"] * (tag == "code")
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.words.append("\n\n# ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "pre") and self._hidden > 0
        self.words += ["`"] * (tag == "code")
        if tag in ("p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "title", "section"):
            self.words.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(" ".join(data.split()) + " " if data.strip() else " ")


def passages_of(file: str, text: str) -> Iterator[Passage]:
    """A text in passages: paragraphs, list items and rows, of which long ones are cut between sentences."""
    title = re.sub(r"[_\W]+", " ", Path(file).stem)
    heading = ""
    for paragraph in prose_blocks(text):
        for block in _PIECES.split(paragraph):
            first, _, rest = block.strip().partition("\n")
            if re.match(r"#{1,6}\s", first) or re.fullmatch(r"\s*[=~^-]{3,}\s*", rest.partition("\n")[0]):
                heading, block = text_for_speech(first.lstrip("# ")).strip(), rest
            elif not rest and len(first.split()) <= 8 and re.search(r"^\w.*\w$", first):
                heading, block = first, ""
            for part in _parts(sentences_of(_MARKS.sub("", block))):
                yield Passage(file, part, f"{title} {heading}".strip())


def _parts(sentences: Sequence[str]) -> Iterator[str]:
    """Whole sentences, up to about LONG words together."""
    part: list[str] = []
    for sentence in sentences:
        if part and sum(len(each.split()) for each in part) + len(sentence.split()) > LONG:
            yield " ".join(part)
            part = part[-1:] if len(part) > 1 else []  # the last sentence may explain the next
        part.append(sentence)
    if part and re.search(r"\w", " ".join(part)):
        yield " ".join(part)


def _sharpened(passage: Passage, question: str) -> Passage:
    """The passage from the sentence that has most of the question's words on, at most three sentences."""
    sentences = [each.text for each in split_sentences(passage.text)]
    if len(sentences) <= 2:
        return passage
    asked = frozenset(stems(question))
    best = max(range(len(sentences)), key=lambda i: (len(asked & frozenset(stems(sentences[i]))), -i))
    return Passage(passage.file, " ".join(sentences[best : best + 2]), passage.about)
