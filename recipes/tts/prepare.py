"""Recordings with transcripts → what `train.py` learns from: phonemes, durations, F0, mel.

    python -m recipes.tts.prepare --manifest ../shared/corpora/kathleen/train.jsonl \
        --manifest ../shared/corpora/kathleen/dev.jsonl --manifest ../shared/corpora/ljspeech/train.jsonl

Each manifest becomes one file in `--out`, named after its folder and itself (`kathleen-train.npz`);
`heart-train.npz` is the teacher's own speech of some of the same sentences, a further speaker. Sounds are
aligned as `align.py` says, all clips of a speaker together; clips that fit their transcript badly
are left out and named. What a run has finished, the next one does not do again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recipes.options import option, parse
from recipes.tts import align, corpus
from recipes.tts.corpus import Utterance
from voice import audio
from voice.features import VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.manifest import Clip, read_manifest
from voice.pitch import f0
from voice.text.frontend import read_aloud
from voice.tts.acoustic import BOUNDARY, SYMBOLS
from voice.tts.heart import Heart

VOICED = 40.0  # Hz; the teacher's curve is near 0 where it is unvoiced
OUTLIER = 4.5  # median absolute deviations below the median score at which a clip is left out


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option((), "a manifest with transcripts (repeatable)")
    out: Path = option(Path("runs/tts-data"), "folder for the feature files")
    taught: int = option(600, "sentences that the teacher speaks, as a further speaker")
    longest: float = option(15.0, "seconds; longer clips are left out")


def main(options: Options) -> None:
    teacher = Heart.open()
    guessed = {_name(path): _guessed(path, options, teacher) for path in options.manifest}
    if options.taught:
        guessed["heart-train"] = _lesson(options, teacher)
    for name, utterances in _aligned(guessed).items():
        corpus.write(options.out / f"{name}.npz", utterances)
        minutes = sum(len(u.f0) for u in utterances) * VOICE_HOP / VOICE_RATE / 60
        print(f"{name}: {len(utterances)} clips, {minutes:.1f} min", flush=True)


def _name(manifest: str) -> str:
    return f"{Path(manifest).absolute().parent.name}-{Path(manifest).stem}"


def _clips(path: str, options: Options) -> list[Clip]:
    return [clip for clip in read_manifest(path) if clip.text and clip.duration <= options.longest]


def _phonemes(clip: Clip) -> str:
    """A clip's phonemes, as one string with a BOUNDARY at both ends."""
    text = clip.extra.get("text_normalized") or clip.text
    inner = " ".join(reading.phonemes.strip() for reading in read_aloud(text))
    return BOUNDARY + "".join(p for p in inner if p in SYMBOLS) + BOUNDARY


def _guessed(path: str, options: Options, teacher: Heart) -> list[Utterance]:
    """A manifest's clips with the teacher's durations warped to them."""
    clips = _clips(path, options)
    return _kept(_name(path), options, (_guess(clip, teacher) for clip in clips), len(clips))


def _lesson(options: Options, teacher: Heart) -> list[Utterance]:
    """The teacher's own speech of sentences spread evenly over the manifests to train on."""
    clips = [c for path in options.manifest if "train" in Path(path).stem for c in _clips(path, options)]
    chosen = np.unique(np.linspace(0, len(clips) - 1, options.taught).round().astype(int))
    return _kept("heart-train", options, (_taught(clips[i], teacher) for i in chosen), len(chosen))


def _kept(name: str, options: Options, made: Iterator[Utterance], count: int) -> list[Utterance]:
    """What an earlier run made, else `made`, written down."""
    path = options.out / "guessed" / f"{name}.npz"
    if not path.exists():
        corpus.write(path, list(_shown(name, made, count)))
    return corpus.read(path)


def _shown(name: str, made: Iterator[Utterance], count: int) -> Iterator[Utterance]:
    for done, utterance in enumerate(made, 1):
        yield utterance
        if done % 50 == 0 or done == count:
            print(f"{name}: {done}/{count} clips", flush=True)


def _guess(clip: Clip, teacher: Heart) -> Utterance:
    samples = audio.read(clip.audio, VOICE_RATE).samples
    mel, phonemes = voice_log_mel(samples), _phonemes(clip)
    taught = teacher.render_phonemes(phonemes.strip(BOUNDARY))
    frames = align.first_guess(phonemes, mel, taught.durations, voice_log_mel(taught.samples))
    return Utterance(
        id=clip.id,
        speaker=clip.speaker or "unknown",
        tokens=corpus.tokens_of(phonemes),
        durations=align.spread(phonemes, frames),
        f0=f0(samples, VOICE_RATE, VOICE_HOP),
        mel=mel.T.astype(np.float16),
    )


def _taught(clip: Clip, teacher: Heart) -> Utterance:
    phonemes = _phonemes(clip)
    taught = teacher.render_phonemes(phonemes.strip(BOUNDARY))
    return Utterance(
        id=f"heart-{clip.id}",
        speaker="heart",
        tokens=corpus.tokens_of(phonemes),
        durations=align.spread(phonemes, align.gathered(phonemes, taught.durations)),
        f0=np.where(taught.f0 < VOICED, 0.0, taught.f0),
        mel=voice_log_mel(taught.samples).T.astype(np.float16),
    )


def _aligned(guessed: dict[str, list[Utterance]]) -> dict[str, list[Utterance]]:
    """Durations refined, all clips of a speaker together; the clips that do not fit left out."""
    by_speaker: dict[str, list[tuple[str, Utterance]]] = defaultdict(list)
    for name, utterances in guessed.items():
        for utterance in utterances:
            by_speaker[utterance.speaker].append((name, utterance))
    found: dict[str, list[Utterance]] = {name: [] for name in guessed}
    for own in by_speaker.values():
        refined = align.align([_spoken(utterance) for _, utterance in own])
        worst = _limit([each.score for each in refined])
        for (name, utterance), each in zip(own, refined, strict=True):
            if each.score >= worst:
                found[name].append(replace(utterance, durations=each.durations))
            else:
                print(f"left out: {utterance.id} (score {each.score:.2f}, the limit is {worst:.2f})")
    return found


def _spoken(utterance: Utterance) -> align.Spoken:
    phonemes = "".join(SYMBOLS[token] for token in utterance.tokens)
    frames = utterance.durations[[unit.token for unit in align.units(phonemes)]].astype(np.int64)
    return align.Spoken(phonemes, utterance.mel.T.astype(np.float32), frames)


def _limit(scores: list[float]) -> float:
    middle = np.median(scores)
    return float(middle - OUTLIER * max(np.median(np.abs(np.array(scores) - middle)), 0.1))


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
