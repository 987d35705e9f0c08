"""What a recognizer is tuned on: the words of a set in the base's own writing, and old speech beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from data.batching import pad
from data.left_out import LeftOut
from recipes.asr import windows
from recipes.asr.examples import IGNORED, loops
from recipes.asr.restyle import Conventions, Style, conventions_of, restyle, style_of
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning.base_answers import BaseAnswers, Heard
from recipes.asr.tuning.packing import packed_windows, room_for_text, training_windows, usable
from voice.errors import ManifestError
from voice.manifest import Clip

FOREIGN = 0.15  # share of words: below it a transcript has nothing to do with what the base hears
FOREIGN_WORDS = 4  # of a transcript that can be judged so
FOREIGN_SET = 0.5  # share of the clips that may be foreign before the whole set is refused
FOREIGN_REASON = "whose transcripts have nothing to do with what the base hears"
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Example:
    """A window, its text as it is learned, the tokens to predict, the base's hidden states there.

    `reference` is the transcript as people wrote it, against which words are scored. `is_general` marks old
    speech, of which the base's own distribution alone is learned.
    """

    heard: Heard
    text: str
    tokens: np.ndarray  # (L,): the language, the text, the end
    inputs: np.ndarray  # (P + L - 2,): what the decoder reads
    hidden: Path
    is_general: bool
    reference: str

    @property
    def corpus(self) -> str:
        """Return the name of the folder that the recordings come from."""
        return self.heard.sounds.clips[self.heard.window.clips[0]].audio.parent.parent.name


@dataclass(frozen=True)
class Tuning:
    """The examples of a set, what was done to its transcripts, and what was left out of it."""

    examples: tuple[Example, ...]
    style: Style
    conventions: Conventions
    changes: tuple[tuple[str, str], ...]  # transcripts before and after
    left_out: LeftOut
    foreign: tuple[str, ...]  # what transcripts say that do not belong here, and what the base hears

    def describe(self) -> list[str]:
        """Return lines for people: what was taken over from the base, such as what, and what was left out."""
        lacking = [name for name in ("case", "marks", "figures") if not getattr(self.style, name)]
        lines = []
        if self.changes:
            what = f"got the base's {', '.join(lacking)}" if lacking else "are written as the base writes"
            lines.append(f"{len(self.changes)} transcripts {what}, such as:")
            lines += [f"  {before}  →  {after}" for before, after in self.changes[:SHOWN]]
        if self.left_out:
            lines.append(str(self.left_out))
        lines += [f"  {each}" for each in self.foreign[:SHOWN]]
        return lines


def merge(parts: Sequence[Tuning]) -> Tuning:
    """Return several sets, each of which was written in its own way, as one."""
    first = parts[0]
    return Tuning(
        tuple(each for part in parts for each in part.examples),
        min((part.style for part in parts), key=lambda style: (style.case, style.marks, style.figures)),
        first.conventions,
        tuple(each for part in parts for each in part.changes),
        first.left_out if len(parts) == 1 else LeftOut.merge([part.left_out for part in parts]),
        tuple(each for part in parts for each in part.foreign),
    )


def set_examples(
    clips: Sequence[Clip], answers: BaseAnswers, *, seed: int = 0, alone: bool = False,
    conventions: Conventions | None = None, trusts: bool = False,
) -> Tuning:  # fmt: skip
    """Return examples of a transcribed set, its texts in the base's writing; `alone` packs no clips together.

    `conventions` are those of the training set where the clips are few. Unless it `trusts` them, clips whose
    transcripts have nothing to do with what the base hears are left out. Raises ManifestError
    where nothing is left, or where the transcripts belong to other recordings.
    """
    tokenizer, language = answers.tokenizer, answers.options.language
    left_out = LeftOut(len(clips))
    sounds = usable(clips, tokenizer, left_out)
    if not len(sounds):
        raise ManifestError(f"no recording can be learned from; {left_out}")
    context = answers.options.context
    every = windows.single(sounds.clips) if alone else training_windows(sounds.clips, context, seed=seed)
    heard = answers.hear(every, sounds)
    style = style_of([clip.text or "" for clip in sounds.clips])
    how = conventions or conventions_of(each.hypothesis for each in heard)
    kept: list[tuple[Heard, str]] = []
    changes: list[tuple[str, str]] = []
    foreign: list[str] = []
    for each in heard:
        own = "\n".join(" ".join((sounds.clips[index].text or "").split()) for index in each.window.clips)
        found = restyle(own, each.hypothesis, style, how, language)
        if found.agreement < FOREIGN and len(found.text.split()) >= FOREIGN_WORDS and not (alone or trusts):
            left_out.add_all([sounds.clips[index].id for index in each.window.clips], FOREIGN_REASON)
            foreign.append(f'"{own.splitlines()[0]:.60}" is heard as "{each.hypothesis:.60}"')
            continue
        kept.append((each, found.text))
        if found.text != own:
            changes.append((own.replace("\n", " "), found.text))
    if len(foreign) > FOREIGN_SET * len(heard):
        raise ManifestError(
            f"{len(foreign)} of {len(heard)} transcripts seem to belong to other recordings, such as "
            f"{foreign[0]}; compare them with what is said"
        )
    examples = _examples(kept, answers, is_general=False)
    return Tuning(tuple(examples), style, how, tuple(changes), left_out, tuple(foreign))


def general_examples(clips: Sequence[Clip], answers: BaseAnswers, *, seed: int = 0) -> list[Example]:
    """Return examples of old speech, packed as a set is, whose texts are what the base itself hears."""
    sounds = usable(clips, answers.tokenizer, LeftOut(len(clips)), needs_text=False)
    heard = answers.hear(packed_windows(sounds.clips, answers.options.context, seed=seed), sounds)
    read = [(each, _old_text(each, answers.tokenizer)) for each in heard]
    return _examples([(each, text) for each, text in read if text], answers, is_general=True)


def dev_general_examples(clips: Sequence[Clip], answers: BaseAnswers) -> list[Example]:
    """Return examples of old speech to be scored on: each clip alone, its text known or recognized before."""
    sounds = usable(clips, answers.tokenizer, LeftOut(len(clips)), needs_text=False)
    heard = answers.hear(windows.single(sounds.clips), sounds)
    texts = [_known_text(sounds.clips[each.window.clips[0]]) or each.hypothesis for each in heard]
    read = [_old_text(each, answers.tokenizer) for each in heard]
    made = _examples(list(zip(heard, read, strict=True)), answers, is_general=True)
    return [replace(each, reference=text) for each, text in zip(made, texts, strict=True)]


def _old_text(heard: Heard, tokenizer: TrainingTokenizer) -> str:
    """Return what the base hears in old speech; what is known of it instead if the base repeats itself."""
    if not loops(heard.hypothesis) and len(tokenizer.encode(heard.hypothesis)) <= room_for_text(tokenizer):
        return heard.hypothesis
    known = [_known_text(heard.sounds.clips[index]) for index in heard.window.clips]
    return " ".join(text for text in known if text) if all(known) else ""


def _known_text(clip: Clip) -> str | None:
    """Return the transcript of a clip, or what an earlier recognizer wrote."""
    return clip.text if clip.text is not None else clip.extra.get("asr_text")


def _examples(kept: Sequence[tuple[Heard, str]], answers: BaseAnswers, *, is_general: bool) -> list[Example]:
    """Return examples of windows and texts, with the base's hidden states for them."""
    tokenizer = answers.tokenizer
    # In the full context the original is run, which may write times.
    with_times = answers.options.context == "full" and tokenizer.has_times
    rows = [
        _tokens(heard, text, tokenizer, timed=with_times and place % 2 == 1)
        for place, (heard, text) in enumerate(kept)
    ]
    tokens, inputs = [row[0] for row in rows], [row[1] for row in rows]
    hidden = answers.hidden_files([heard for heard, _ in kept], inputs)
    made = zip(kept, tokens, inputs, hidden, strict=True)
    return [
        Example(heard, text, row, read, path, is_general, _reference(heard) or text)
        for (heard, text), row, read, path in made
    ]


def _reference(heard: Heard) -> str:
    """Return what people wrote down of a window; nothing where a clip has no transcript."""
    texts = [heard.sounds.clips[index].text for index in heard.window.clips]
    return " ".join(text for text in texts if text) if all(texts) else ""


def _tokens(
    heard: Heard, text: str, tokenizer: TrainingTokenizer, *, timed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens to predict and what the decoder reads; `timed` ones of a clip alone have its end."""
    targets = tokenizer.targets(text)
    if not timed or len(heard.window.clips) > 1:
        return np.array(targets, np.int64), tokenizer.decoder_input(targets)
    targets.insert(-1, tokenizer.time(heard.window.duration))
    inputs = tokenizer.decoder_input(targets)
    inputs[len(tokenizer.prompt) - 1] = tokenizer.time(0.0)  # in place of "no times"
    return np.array(targets, np.int64), inputs


@dataclass(frozen=True, eq=False)
class TuningBatch:
    """B windows of equal length: `states` (B, F, D) or log-mel (B, bands, T), `inputs` (B, P + L - 2) and
    `targets` (B, L) tokens, IGNORED where there are none, and the base's `hidden` (N, width) for those that
    count; `is_general` (N,) tells old speech."""

    states: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    hidden: torch.Tensor
    is_general: torch.Tensor


def collate(some: Sequence[Example], tokenizer: TrainingTokenizer) -> TuningBatch:
    """Return a batch of windows that are equally long; raises ValueError where they are not."""
    states = np.stack([each.heard.load_states() for each in some])
    inputs, _ = pad([each.inputs for each in some], tokenizer.end)
    targets, _ = pad([_count_tokens(each.tokens, tokenizer) for each in some], IGNORED)
    hidden = [np.load(each.hidden)[_count_tokens(each.tokens, tokenizer) != IGNORED] for each in some]
    general = [np.full(len(rows), each.is_general) for each, rows in zip(some, hidden, strict=True)]
    return TuningBatch(
        torch.from_numpy(states),
        torch.from_numpy(inputs),
        torch.from_numpy(targets),
        torch.from_numpy(np.concatenate(hidden)).float(),
        torch.from_numpy(np.concatenate(general)),
    )


def _count_tokens(tokens: np.ndarray, tokenizer: TrainingTokenizer) -> np.ndarray:
    """Return the tokens to predict; a recognizer of English alone predicts no language."""
    if tokenizer.is_multilingual:
        return tokens
    return np.array([IGNORED, *tokens[1:]], np.int64)
