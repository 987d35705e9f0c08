"""Recordings with transcripts → what trainings learn from: phonemes, durations, F0, loudness.

    python -m recipes.tts.prepare --manifest ../shared/corpora/kathleen/train.jsonl \
        --manifest ../shared/corpora/kathleen/dev.jsonl --manifest ../shared/corpora/ljspeech/train.jsonl

Each manifest becomes one file in `--out`, named after its folder and itself (`kathleen-train.npz`), for
`train.py` and `train_prosody.py`. A teacher's (`teach.py`) says how long its phonemes take, others are
guessed from heart's. Sounds are then aligned as `align.py` says, all clips of a speaker together; long ones
are cut at pauses, and clips that fit their transcript badly are left out. Whatever is left out is named. What
a run has finished, the next one does not do again; `--out` belongs to the manifests that it was made of.
Memory holds some 40 MB for each hour of the longest speaker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.parallel import in_order
from data.shards.reading import read_sound
from recipes.options import option, parse
from recipes.tts import align, corpus
from recipes.tts.corpus import Utterance
from recipes.tts.preparation.cutting import cut_at_pauses
from recipes.tts.preparation.selection import select_clips
from recipes.tts.preparation.shards import Guess, Shards
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.manifest import DURATION_TOLERANCE, Clip
from voice.pitch import f0
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences
from voice.tts.heart import Heart

SAVE_EVERY = 200  # clips
LENGTH_TOLERANCE = DURATION_TOLERANCE * VOICE_RATE / VOICE_HOP + 1  # frames; the last one is padded
OUTLIER = 4.5  # median absolute deviations below the median score at which a clip is left out
FRAMES_A_MINUTE = 60 * VOICE_RATE / VOICE_HOP
TINY = {split: Path(__file__).parents[2] / "data" / "tiny" / f"{split}.jsonl" for split in ("train", "dev")}


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option((), "a manifest with transcripts (repeatable)")
    out: Path = option(Path("runs/tts-data"), "folder for the feature files")
    longest: float = option(15.0, "seconds; longer recordings are cut at pauses into parts of at most that")
    smoke: bool = option(False, "seconds on data/tiny, to see that all of it works")


def main(options: Options) -> None:
    if options.smoke:
        options = replace(options, manifest=tuple(map(str, TINY.values())), longest=3.0)
    named = name_features(options)
    clips = {name: select_clips(path) for name, path in named.items()}
    teacher = Heart.open()
    shards = {
        name: guess_durations(name, path, clips[name], options.out, teacher) for name, path in named.items()
    }
    for name, utterances in align_speakers(clips, shards).items():
        parts = cut_long(name, utterances, options.longest)
        corpus.write(options.out / f"{name}.npz", parts)
        print(f"{name}: {len(parts)} clips, {_minutes(parts):.1f} min", flush=True)


def tiny_features(out: Path) -> dict[str, Path]:
    """Return the feature files of data/tiny by split, made if they are not there."""
    found = {split: out / f"{path.parent.name}-{split}.npz" for split, path in TINY.items()}
    if not all(path.exists() for path in found.values()):
        main(Options(manifest=tuple(map(str, TINY.values())), out=out))
    return found


def name_features(options: Options) -> dict[str, str]:
    """Return {name of its features: manifest}. Raises VoiceError where another manifest's have that name."""
    named: dict[str, str] = {}
    for manifest in options.manifest:
        path = Path(manifest).resolve()
        name = f"{path.parent.name}-{path.stem}"
        owner, hint = _owner(options.out, name), "name another --out"
        if owner.exists():
            was, hint = owner.read_text("utf-8").strip(), f"{hint}, or delete {owner} if it has moved"
        else:
            was = str(Path(named.get(name, manifest)).resolve())
        if was != str(path):
            raise VoiceError(f"{name} in {options.out} is made of {was}; {path} would overwrite it: {hint}")
        named[name] = manifest
    return named


def _owner(out: Path, name: str) -> Path:
    """Return the file that says which manifest the features of that name are made of, once there are some."""
    return out / "guessed" / f"{name}.txt"


def find_phonemes(clip: Clip) -> str:
    """Return a clip's phonemes, as one string with a BOUNDARY at both ends."""
    if "phonemes" in clip.extra:
        return BOUNDARY + clip.extra["phonemes"] + BOUNDARY
    text = clip.extra.get("text_normalized") or clip.text or ""
    inner = " ".join(reading.phonemes.strip() for reading in spoken_sentences(text, ENGLISH))
    return BOUNDARY + "".join(p for p in inner if p in SYMBOLS) + BOUNDARY


def guess_durations(
    name: str, manifest: str, clips: Sequence[Clip], out: Path, teacher: Heart | None
) -> Shards:
    """Guess the durations of a manifest's clips: those that they come with, or the teacher's warped to them.

    What an earlier run made is kept; a manifest may have grown since, or mean other recordings by its ids.
    """
    owner = _owner(out, name)
    shards = Shards(owner.with_suffix(""))
    missing = [clip for clip in clips if not _is_there(shards, clip)]
    held: list[Guess] = []
    made: Iterator[Guess] = (guess(clip, teacher) for clip in missing)
    if len(missing) >= SAVE_EVERY and teacher:
        made = in_order(missing, _guess_with_own_teacher, few=SAVE_EVERY, begin=_open_teacher)
    for done, each in enumerate(made, 1):
        held.append(each)
        if len(held) == SAVE_EVERY or done == len(missing):
            shards.add(held)
            owner.write_text(f"{Path(manifest).resolve()}\n", "utf-8")
            held = []
            print(f"{name}: {done}/{len(missing)} clips", flush=True)
    return shards


_teachers: list[Heart] = []  # of a process that helps


def _open_teacher() -> None:
    """Open a process's own teacher, on one thread."""
    _teachers[:] = [Heart.open()]


def _guess_with_own_teacher(clip: Clip) -> Guess:
    """Return a clip with guessed durations, in a process that helps."""
    return guess(clip, _teachers[0])


def _is_there(shards: Shards, clip: Clip) -> bool:
    """Tell whether there is a guess for a recording as long as this, by the same speaker."""
    frames = clip.duration * VOICE_RATE / VOICE_HOP
    return shards.has(clip.id, speaker_of(clip), frames, LENGTH_TOLERANCE)


def speaker_of(clip: Clip) -> str:
    """Return the name of who speaks a clip."""
    return clip.speaker or "unknown"


def guess(clip: Clip, teacher: Heart | None) -> Guess:
    """Return a clip with guessed durations."""
    samples = read_sound(clip, VOICE_RATE).samples
    mel, phonemes = voice_log_mel(samples), find_phonemes(clip)
    kept = mel.T.astype(np.float16)
    utterance = Utterance(
        id=clip.id,
        speaker=speaker_of(clip),
        tokens=corpus.tokens_of(phonemes),
        durations=align.spread(phonemes, _frames(clip, phonemes, mel, teacher)),
        f0=f0(samples, VOICE_RATE, VOICE_HOP),
        loud=corpus.loudness_of(kept),
    )
    return Guess(utterance, kept)


def _frames(clip: Clip, phonemes: str, mel: np.ndarray, teacher: Heart | None) -> np.ndarray:
    """(U,) frames of each unit, as a teacher's manifest says or as warped from heart's."""
    if "durations" in clip.extra:
        return align.unit_frames(phonemes, np.array(clip.extra["durations"]))
    assert teacher is not None  # only clips that come with durations can do without
    taught = teacher.render_phonemes(phonemes.strip(BOUNDARY))
    return align.first_guess(phonemes, mel, taught.durations, voice_log_mel(taught.samples))


def align_speakers(
    clips: Mapping[str, Sequence[Clip]], shards: Mapping[str, Shards]
) -> dict[str, list[Utterance]]:
    """Refine durations, all clips of a speaker together; leave out and name the clips that do not fit."""
    speakers = sorted({speaker_of(clip) for own in clips.values() for clip in own})
    found: dict[str, dict[str, Utterance]] = {name: {} for name in clips}
    for speaker in speakers:
        wanted = {
            name: [clip.id for clip in own if speaker_of(clip) == speaker] for name, own in clips.items()
        }
        for name, utterance in _align_one(wanted, shards):
            found[name][utterance.id] = utterance
    return {
        name: [found[name][clip.id] for clip in own if clip.id in found[name]] for name, own in clips.items()
    }


def _align_one(
    wanted: Mapping[str, Sequence[str]], shards: Mapping[str, Shards]
) -> Iterator[tuple[str, Utterance]]:
    """Yield the aligned clips of one speaker; `wanted` are their ids by manifest."""
    guesses: list[tuple[str, Utterance]] = []

    def read_guesses() -> Iterator[align.Spoken]:
        for name, ids in wanted.items():
            for each in shards[name].read(ids):
                guesses.append((name, each.utterance))
                yield _alignment_input(each)

    refined = align.align(read_guesses())
    worst = _limit([each.score for each in refined]) if refined else 0.0
    for (name, utterance), each in zip(guesses, refined, strict=True):
        if each.score >= worst:
            yield name, replace(utterance, durations=each.durations)
        else:
            print(f"left out: {utterance.id} (score {each.score:.2f}, the limit is {worst:.2f})", flush=True)


def _alignment_input(each: Guess) -> align.Spoken:
    tokens, durations = each.utterance.tokens, each.utterance.durations
    phonemes = "".join(SYMBOLS[token] for token in tokens)
    frames = durations[[unit.token for unit in align.units(phonemes)]].astype(np.int64)
    return align.Spoken(phonemes, each.mel.T.astype(np.float32), frames)


def _limit(scores: list[float]) -> float:
    middle = np.median(scores)
    return float(middle - OUTLIER * max(np.median(np.abs(np.array(scores) - middle)), 0.1))


def cut_long(name: str, utterances: Sequence[Utterance], longest: float) -> list[Utterance]:
    """Return the utterances, those longer than `longest` seconds cut at pauses; tell what became of them."""
    found: list[Utterance] = []
    cut = parts = 0
    for utterance in utterances:
        pieces = cut_at_pauses(utterance, round(longest * VOICE_RATE / VOICE_HOP))
        found += pieces
        if [piece.id for piece in pieces] != [utterance.id]:
            cut, parts = cut + 1, parts + len(pieces)
    if cut:
        lost = _minutes(utterances) - _minutes(found)
        print(f"{name}: {cut} of more than {longest:g} s cut at pauses into {parts}; {60 * lost:.0f} s lost")
    return found


def _minutes(utterances: Sequence[Utterance]) -> float:
    return sum(len(each.f0) for each in utterances) / FRAMES_A_MINUTE


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
