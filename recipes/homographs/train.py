"""Train the model that chooses how homographs are pronounced, and measure it on sentences held out.

    python -m recipes.homographs.train --data DATA

DATA is the folder of WikipediaHomographData (Gorman, Mazovetskiy and Nikolaev 2018) with its `train.tsv`. A
tenth of each word's sentences is held out, and nothing is chosen on it. A minute on one core writes
voice/text/english/homographs.npz and its card. `--no-fit` measures the model that is there.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from recipes.homographs.examples import Example, read_everyday, read_sentences, split, tag_examples
from recipes.homographs.fitting import fit
from recipes.homographs.spoken_readings import reading_as_spoken, reading_by_tag
from recipes.options import option, parse
from voice.metrics import Score, interval
from voice.text.english import homographs
from voice.text.english.homographs import HomographModel, HomographReading, read_model, write_model

READINGS = Path(__file__).with_name("readings.txt")
MODEL = Path(homographs.__file__).with_suffix(".npz")
ORIGIN = "WikipediaHomographData, its train split (labels Apache-2.0; sentences of Wikipedia, CC BY-SA)"


@dataclass(frozen=True)
class Options:
    """What is trained on, and how."""

    data: Path = option(Path(), "folder with train.tsv")
    out: Path = option(MODEL, "where the model is written; its card goes beside it")
    fit: bool = option(True, "train; otherwise measure the model at --out")
    penalty: float = option(1.0, "on the squares of the weights")
    steps: int = option(80, "of L-BFGS at most")


def read_readings(path: Path = READINGS) -> dict[str, tuple[HomographReading, ...]]:
    """Return {word: its readings}; the kinds of a reading are divided by |."""
    found: dict[str, tuple[HomographReading, ...]] = defaultdict(tuple)
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        word, name, kinds, phonemes = line.split("\t")
        found[word] += (HomographReading(name, phonemes, tuple(filter(None, kinds.split("|")))),)
    return dict(found)


def score(examples: Sequence[Example], read: Callable[[Example], str]) -> tuple[float, tuple[float, float]]:
    """Return the share of examples that `read` gives the right reading, and its interval of 95 %."""
    scores = [Score(int(read(example) != example.reading), 1) for example in examples]
    low, high = interval(scores)
    return 1 - sum(each.errors for each in scores) / len(scores), (1 - high, 1 - low)


def main() -> None:
    """Fit, measure and write the model and its card."""
    o = parse(Options, description=__doc__)
    kept, held = split(read_sentences(o.data / "train.tsv"))
    readings = read_readings()
    held_examples = list(tag_examples(held))
    if o.fit:
        model = fit(list(tag_examples([*kept, *read_everyday()])), readings, o.penalty, o.steps)
        write_model(o.out, model)
    model = read_model(o.out)
    systems: dict[str, Callable[[Example], str]] = {
        "reader's own tags": lambda example: reading_by_tag(example, readings[example.word]),
        "model alone": lambda example: _model_choice(model, example),
        "as spoken, with cues": lambda example: reading_as_spoken(example, readings[example.word]),
    }
    card = {"name": "homographs", "kind": "homographs", "license": "Apache-2.0", "origin": ORIGIN}
    scores = {}
    for name, read in systems.items():
        began = time.perf_counter()
        right, (low, high) = score(held_examples, read)
        each = (time.perf_counter() - began) / len(held_examples)
        print(f"{name:22} {right:.2%} ({low:.2%} to {high:.2%}), {each * 1e3:.2f} ms each")
        scores[name] = round(right, 4)
    if o.fit:
        command = "python -m recipes.homographs.train --data DATA"
        about = {"sentences": len(kept), "held_out": len(held_examples), "words": len(readings)}
        table = {**card, "data": about, "scores": {**scores, "command": command}}
        o.out.with_suffix(".toml").write_text(tomli_w.dumps(table), encoding="utf-8")


def _model_choice(model: HomographModel, example: Example) -> str:
    reading = model.choose(example.words, example.tags, example.at)
    return reading.name if reading else ""


if __name__ == "__main__":
    main()
