"""Trains a word n-gram model on texts and writes it as an ARPA file, which the beam search reads.

    python -m recipes.ctc.ngram --text corpus.txt --manifest …/train.jsonl --order 3 --out lm.arpa

Interpolated modified Kneser-Ney (Chen and Goodman 1998). For corpora beyond some ten million words take
KenLM's `lmplz`, whose files are read in the same way: `lmplz -o 3 < corpus.txt > lm.arpa`.
"""

from __future__ import annotations

import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.ctc.examples import select, texts_of
from recipes.ctc.texts import WRITINGS, Writing
from recipes.options import option, parse
from voice.asr.ctc.ngram import BEGIN, END, UNKNOWN
from voice.errors import VoiceError
from voice.text.sentences import split_sentences

Gram = tuple[str, ...]
NO_CHANCE = -99.0  # log10 of what has no probability: <s> is never predicted


@dataclass(frozen=True)
class Options:
    text: tuple[Path, ...] = option((), "a text file, a sentence in each line; repeatable")
    manifest: tuple[str, ...] = option(
        (), "a manifest, whose transcripts are read; PATH:N takes N; repeatable"
    )
    writing: Writing = option("spoken", "as the recognizer writes: see recipes.ctc.train")
    order: int = option(3, "words of the longest n-grams")
    prune: int = option(
        1, "n-grams of three words or more that occur so often or less are left out; 0 keeps all"
    )
    out: Path = option(Path("lm.arpa.gz"), "the file to write; .gz is compressed")
    words: tuple[Path, ...] = option(
        (), "a list of words, one a line, that need not occur in the texts; repeatable"
    )


@dataclass(frozen=True)
class Estimate:
    """A model: for each length, natural probabilities, and the back-off weights of histories."""

    probabilities: Sequence[Mapping[Gram, float]]
    backoffs: Mapping[Gram, float]


def count_grams(sentences: Iterable[Sequence[str]], order: int) -> list[Counter[Gram]]:
    """Count the n-grams of each length, `<s>` and `</s>` around each sentence."""
    counts: list[Counter[Gram]] = [Counter() for _ in range(order)]
    for words in sentences:
        padded = [BEGIN, *words, END]
        for length, counter in enumerate(counts, 1):
            counter.update(tuple(padded[i : i + length]) for i in range(len(padded) - length + 1))
    return counts


def continuations(counts: Sequence[Counter[Gram]]) -> list[Counter[Gram]]:
    """Return Kneser-Ney's counts: of all but the longest, in how many histories an n-gram occurs.

    What begins with `<s>` has no history, and keeps its own count.
    """
    changed: list[Counter[Gram]] = []
    for shorter, longer in zip(counts, counts[1:], strict=False):
        seen: Counter[Gram] = Counter(gram[1:] for gram in longer)
        changed.append(Counter({g: n if g[0] == BEGIN else seen[g] for g, n in shorter.items()}))
    return [*changed, counts[-1]]


def discounts(counts: Iterable[int]) -> tuple[float, float, float]:
    """Return what is taken from counts of 1, 2, and 3 or more (Chen and Goodman 1998, equation 26)."""
    of = Counter(count for count in counts if count <= 4)
    one, two, three, four = (max(1, of[n]) for n in (1, 2, 3, 4))
    share = one / (one + 2 * two)
    first, second, third = (
        1 - 2 * share * two / one,
        2 - 3 * share * three / two,
        3 - 4 * share * four / three,
    )
    # Few texts have odd counts of counts, of which these would be below nothing.
    return min(0.95, max(0.1, first)), min(1.95, max(0.2, second)), min(2.95, max(0.3, third))


def estimate(counts: Sequence[Counter[Gram]], prune: int, words: Iterable[str] = ()) -> Estimate:
    """Return the interpolated probabilities of n-grams, and what histories leave to shorter ones.

    Those of `words` that do not occur share what is left for the unknown one, all alike.
    """
    unseen = {(word,) for word in words} - counts[0].keys()
    backoffs: dict[Gram, float] = {}
    probabilities: list[dict[Gram, float]] = []
    for length, counter in enumerate(continuations(counts), 1):
        cuts = discounts(count for gram, count in counter.items() if gram[-1] != BEGIN)
        groups: dict[Gram, list[tuple[Gram, int]]] = defaultdict(list)
        for gram, count in counter.items():
            if gram[-1] != BEGIN:
                groups[gram[:-1]].append((gram, count))
        found: dict[Gram, float] = {}
        for history, grams in groups.items():
            total = sum(count for _, count in grams)
            kept = [(g, n) for g, n in grams if length < 3 or counts[length - 1][g] > prune]
            taken = {gram: count - cuts[min(count, 3) - 1] for gram, count in kept}
            left = (total - sum(taken.values())) / total
            shorter = probabilities[-1] if probabilities else {}
            # What is left is <unk>'s and that of words that did not occur.
            uniform = 1 / (len(groups[()]) + len(unseen) + 1) if length == 1 else 0.0
            for gram, amount in taken.items():
                found[gram] = amount / total + left * (uniform if length == 1 else shorter[gram[1:]])
            if length == 1:
                found |= dict.fromkeys((*unseen, (UNKNOWN,)), left * uniform)
            elif taken:
                backoffs[history] = left
        probabilities.append(found)
    return Estimate(probabilities, backoffs)


def arpa(model: Estimate) -> Iterator[str]:
    """Yield the lines of an ARPA file. A history that is no n-gram of its own has no back-off weight."""
    tables = [dict(table) for table in model.probabilities]
    tables[0][(BEGIN,)] = 0.0
    yield "\\data\\"
    yield from (f"ngram {length}={len(table)}" for length, table in enumerate(tables, 1))
    for length, table in enumerate(tables, 1):
        yield f"\n\\{length}-grams:"
        for gram in sorted(table):
            row = f"{_log(table[gram]):.5f}\t{' '.join(gram)}"
            backoff = model.backoffs.get(gram) if length < len(tables) else None
            yield row if backoff is None else f"{row}\t{_log(backoff):.5f}"
    yield "\n\\end\\"


def _log(value: float) -> float:
    """Return the logarithm that an ARPA file has of a probability."""
    return math.log10(value) if value > 0 else NO_CHANCE


def sentences_of(options: Options) -> Iterator[list[str]]:
    """Yield the words of each sentence of all texts, as the recognizer writes them."""
    lines = (line for path in options.text for line in path.read_text("utf-8").splitlines())
    write = WRITINGS[options.writing]
    for text in (*lines, *texts_of(select(options.manifest))):
        for sentence in split_sentences(text):
            if words := write(sentence.text).split():
                yield words


def listed_words(options: Options) -> Iterator[str]:
    """Yield the words of lists, as the recognizer writes them; lines of several words are left out."""
    write = WRITINGS[options.writing]
    for path in options.words:
        for line in path.read_text("utf-8").splitlines():
            if len(written := write(line).split()) == 1:
                yield written[0]


def write_arpa(path: Path, lines: Iterable[str]) -> None:
    """Write an ARPA file, whole or not at all; with gzip if its name ends so."""
    beside = path.with_name(f".{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        gzip.open(beside, "wt", encoding="utf-8")
        if path.suffix == ".gz"
        else beside.open("w", encoding="utf-8") as f
    ):
        f.writelines(f"{line}\n" for line in lines)
    beside.replace(path)


def main(options: Options) -> None:
    counts = count_grams(sentences_of(options), options.order)
    words = sum(count for (word,), count in counts[0].items() if word not in (BEGIN, END))
    if not words:
        raise VoiceError("there are no words: give --text or --manifest")
    model = estimate(counts, options.prune, listed_words(options))
    write_arpa(options.out, arpa(model))
    sizes = ", ".join(f"{len(table):,} {length}-grams" for length, table in enumerate(model.probabilities, 1))
    print(f"{options.out}: {words:,} words read; {sizes}")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
