"""Questions about the text files in a folder: the passage that answers best, with the name of its file.

Okapi BM25 (Robertson and Zaragoza, 2009) over passages of a few sentences of prose; code and markup are
left out. Files are read again when they have changed; nothing is written. A folder that holds no answer
must not give one. So a passage needs a share of the weight of the question's words: the first of
`LEAST_SHARES` in a small folder, the second in a large one. And it needs words whose weight is at least
`LEAST_WEIGHT` times that of a word that only one passage has. With fewer than about `FEW_PASSAGES`
passages, frequencies say little about a word, and both demands are lower.
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

from voice.agent.language.phrases import SpokenRequest
from voice.agent.language.stems import stems
from voice.agent.skills.prose import prose_blocks, sentences_of
from voice.agent.speaking.plain_text import text_for_speech
from voice.errors import VoiceError
from voice.places import expand_home
from voice.text.sentences import split_sentences

SUFFIXES = frozenset((".txt", ".text", ".md", ".markdown", ".rst", ".org", ".adoc", ".html", ".htm"))
LARGEST_FILE = 4 << 20  # bytes of a file
MOST_FILES = 5000
PASSAGE_WORDS = 60  # of a passage, about: as many as are pleasant to hear at once
LEAST_SHARES = (0.4, 0.6)
LEAST_WEIGHT = 0.55
FEW_PASSAGES = 8
K1, B = 1.2, 0.75
_LINE_MARKS = re.compile(
    r"^\s*(?:#{1,6}\s+|[-*+•]\s+|\d{1,3}[.)]\s+|>\s?|\.\.\s.*$|[=~^`-]{3,}\s*$)", re.MULTILINE
)
_PROGRAM_NAMES = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")  # such as first_audio_ms
_QUESTION = re.compile(
    r"(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|should|may|must|will"
    r"|would|has|have|had)\b"
)
_TO_YOU = re.compile(
    r"(?<!how do )(?<!where do )(?<!when do )(?<!what do )\b(?:you|your)\b"
)  # not "how do you"
_BLOCK_BREAKS = re.compile(r"\n(?=\s*#)|(?<=\n)(?=\s*[-*•]\s|\s*\|)")


@dataclass(frozen=True)
class DocumentPassage:
    """Some sentences of a file; `title` is that of the file with the heading above, `file` its path."""

    file: str
    text: str
    title: str = ""


@dataclass(frozen=True)
class _IndexedFile:
    stamp: tuple[int, int]  # time of the last change (ns), size
    passages: tuple[DocumentPassage, ...]
    counts: tuple[Counter[str], ...]  # of the stems, for each passage


class Documents:
    """The text files below a folder, without hidden ones. May be used by several threads."""

    def __init__(self, folder: str | Path) -> None:
        """Keep the folder; nothing is read yet. Raises VoiceError if there is no such folder."""
        self.folder = expand_home(folder)
        if not self.folder.is_dir():
            raise VoiceError(f"no folder at {folder}; give the folder of text files to be asked about")
        self._files: dict[str, _IndexedFile] = {}
        self._frequency: Counter[str] = Counter()  # number of passages with a stem
        self._lock = threading.Lock()

    def refresh(self) -> int:
        """Read new and changed files; return the number of files."""
        with self._lock:
            present = dict(_list_files(self.folder))
            for name in [each for each in self._files if each not in present]:
                self._remove(name)
            for name, stamp in present.items():
                if name not in self._files or self._files[name].stamp != stamp:
                    self._remove(name)
                    self._index(name, stamp)
            return len(self._files)

    def search(self, question: str, most: int = 1) -> list[DocumentPassage]:
        """Return the passages that answer a question best, the best first; none if none does."""
        self.refresh()
        with self._lock:
            scored = sorted(self._score(stems(question)), key=lambda row: -row[0])
        return [_from_best_sentence(passage, question) for _, passage in scored[:most]]

    def answer(self, request: str) -> DocumentPassage | None:
        """Return the passage that answers a request in a conversation; None if it is not about the files.

        A question to the agent ("are you") is not, nor is a request that is no question and shares only
        one word with the passage.
        """
        asked = " ".join(SpokenRequest.of(request).without_courtesy().words)
        if _TO_YOU.search(asked):
            return None
        found = self.search(request)
        if found and not _QUESTION.match(asked):
            shared = set(stems(request)) & set(stems(f"{found[0].title} {found[0].text}"))
            found = found if len(shared) > 1 else []
        return found[0] if found else None

    def _index(self, name: str, stamp: tuple[int, int]) -> None:
        """Read a file and count its stems."""
        passages = tuple(passages_of(name, _read_text(self.folder / name)))
        counts = tuple(
            Counter(stems(_PROGRAM_NAMES.sub(" ", f"{each.title} {each.text}"))) for each in passages
        )
        self._files[name] = _IndexedFile(stamp, passages, counts)
        for each in counts:
            self._frequency.update(each.keys())

    def _remove(self, name: str) -> None:
        """Take a file out of the index, if it is there."""
        for each in self._files.pop(name, _IndexedFile((0, 0), (), ())).counts:
            self._frequency.subtract(each.keys())

    def _score(self, question: Sequence[str]) -> Iterator[tuple[float, DocumentPassage]]:
        """Yield the score (BM25) and the passage, for passages with enough of a question's stems."""
        total = sum(len(file.counts) for file in self._files.values())
        words = sum(count.total() for file in self._files.values() for count in file.counts)
        usual, strict = (words / total if total else 1.0), total / (total + FEW_PASSAGES)
        weights = {stem: _inverse_document_frequency(self._frequency[stem], total) for stem in question}
        share = LEAST_SHARES[0] + strict * (LEAST_SHARES[1] - LEAST_SHARES[0])
        needed = share * sum(w if self._frequency[stem] else strict * w for stem, w in weights.items())
        needed = max(needed, LEAST_WEIGHT * strict * _inverse_document_frequency(1, total))
        for file in self._files.values():
            for passage, counts in zip(file.passages, file.counts, strict=True):
                held = [stem for stem in weights if stem in counts]
                if held and sum(weights[stem] for stem in held) >= needed:
                    ease = K1 * (1 - B + B * counts.total() / usual)
                    parts = (weights[each] * counts[each] * (K1 + 1) / (counts[each] + ease) for each in held)
                    yield sum(parts), passage


def _inverse_document_frequency(holding: int, total: int) -> float:
    """Return the weight of a stem that `holding` of `total` passages have."""
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _list_files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the readable files by their paths in the folder, with their stamps."""
    found = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            path = Path(root) / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES or path.is_symlink():
                continue
            try:
                state = path.stat()
            except OSError:  # deleted meanwhile
                continue
            if state.st_size <= LARGEST_FILE and found < MOST_FILES:
                found += 1
                yield path.relative_to(folder).as_posix(), (state.st_mtime_ns, state.st_size)


def _read_text(path: Path) -> str:
    """Return the text of a file, "" if it cannot be read; HTML without its tags."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    if path.suffix.lower() in (".html", ".htm"):
        reader = _HtmlText()
        reader.feed(text)
        return "".join(reader.words)
    return text


class _HtmlText(HTMLParser):
    """Collects the words of a page, with a blank line after each block."""

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


def passages_of(file: str, text: str) -> Iterator[DocumentPassage]:
    """Split a text into passages: paragraphs, list items and rows; long ones are cut between sentences."""
    title = re.sub(r"[_\W]+", " ", Path(file).stem)
    heading = ""
    for paragraph in prose_blocks(text):
        for block in _BLOCK_BREAKS.split(paragraph):
            first, _, rest = block.strip().partition("\n")
            if re.match(r"#{1,6}\s", first) or re.fullmatch(r"\s*[=~^-]{3,}\s*", rest.partition("\n")[0]):
                heading, block = text_for_speech(first.lstrip("# ")).strip(), rest
            elif not rest and len(first.split()) <= 8 and re.search(r"^\w.*\w$", first):
                heading, block = first, ""
            for part in _split_sentences(sentences_of(_LINE_MARKS.sub("", block))):
                yield DocumentPassage(file, part, f"{title} {heading}".strip())


def _split_sentences(sentences: Sequence[str]) -> Iterator[str]:
    """Join sentences into passages of about PASSAGE_WORDS words."""
    part: list[str] = []
    for sentence in sentences:
        if part and sum(len(each.split()) for each in part) + len(sentence.split()) > PASSAGE_WORDS:
            yield " ".join(part)
            part = part[-1:] if len(part) > 1 else []  # the last sentence may explain the next
        part.append(sentence)
    if part and re.search(r"\w", " ".join(part)):
        yield " ".join(part)


def _from_best_sentence(passage: DocumentPassage, question: str) -> DocumentPassage:
    """Cut a passage to the sentence with the most words of the question and the one after it."""
    sentences = [each.text for each in split_sentences(passage.text)]
    if len(sentences) <= 2:
        return passage
    asked = frozenset(stems(question))
    best = max(range(len(sentences)), key=lambda i: (len(asked & frozenset(stems(sentences[i]))), -i))
    return DocumentPassage(passage.file, " ".join(sentences[best : best + 2]), passage.title)
