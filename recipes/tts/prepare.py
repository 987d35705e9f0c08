"""Recordings with transcripts → what trainings learn from: phonemes, durations, F0, mel.

    python -m recipes.tts.prepare --manifest ../shared/corpora/kathleen/train.jsonl \
        --manifest ../shared/corpora/kathleen/dev.jsonl --manifest ../shared/corpora/ljspeech/train.jsonl

Each manifest becomes one file in `--out`, named after its folder and itself (`kathleen-train.npz`), for
`train.py` and `train_prosody.py`. A teacher's (`teach.py`) says how long its phonemes take, others are
guessed from heart's. Sounds are then aligned as `align.py` says, all clips of a speaker together; clips that
fit their transcript badly are left out and named. What a run has finished, the next one does not do again;
`--out` belongs to the manifests that it was made of.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recipes.options import option, parse
from recipes.tts import align, corpus
from recipes.tts.corpus import Utterance
from voice import audio
from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.manifest import DURATION_TOLERANCE, Clip, read_manifest
from voice.pitch import f0
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences
from voice.tts.heart import Heart

SAVE_EVERY = 200  # clips
LENGTH_TOLERANCE = DURATION_TOLERANCE * VOICE_RATE / VOICE_HOP + 1  # frames; the last one is padded
OUTLIER = 4.5  # median absolute deviations below the median score at which a clip is left out


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option((), "a manifest with transcripts (repeatable)")
    out: Path = option(Path("runs/tts-data"), "folder for the feature files")
    longest: float = option(15.0, "seconds; longer clips are left out")


def main(options: Options) -> None:
    listed = {path: _clips(path, options) for path in options.manifest}
    named = _name_features(options)
    teacher = Heart.open()
    guessed = {
        name: _initial_utterances(name, path, listed[path], options, teacher) for name, path in named.items()
    }
    for name, utterances in _refine(guessed).items():
        corpus.write(options.out / f"{name}.npz", utterances)
        minutes = sum(len(u.f0) for u in utterances) * VOICE_HOP / VOICE_RATE / 60
        print(f"{name}: {len(utterances)} clips, {minutes:.1f} min", flush=True)


def _name_features(options: Options) -> dict[str, str]:
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


def _clips(path: str, options: Options) -> list[Clip]:
    return [clip for clip in read_manifest(path) if clip.text and clip.duration <= options.longest]


def _phonemes(clip: Clip) -> str:
    """Return a clip's phonemes, as one string with a BOUNDARY at both ends."""
    if "phonemes" in clip.extra:
        return BOUNDARY + clip.extra["phonemes"] + BOUNDARY
    text = clip.extra.get("text_normalized") or clip.text or ""
    inner = " ".join(reading.phonemes.strip() for reading in spoken_sentences(text, ENGLISH))
    return BOUNDARY + "".join(p for p in inner if p in SYMBOLS) + BOUNDARY


def _initial_utterances(
    name: str, manifest: str, clips: list[Clip], options: Options, teacher: Heart
) -> list[Utterance]:
    """Return a manifest's clips with the durations that they come with, or the teacher's warped to them.

    What an earlier run made is kept; a manifest may have grown since, or mean other recordings by its ids.
    """
    owner = _owner(options.out, name)
    kept = owner.with_suffix(".npz")
    held = {u.id: u for u in (corpus.read(kept) if kept.exists() else [])}
    if held:  # perhaps of a run that named no owner
        owner.write_text(f"{Path(manifest).resolve()}\n", "utf-8")
    missing = [clip for clip in clips if clip.id not in held or not _is_of(held[clip.id], clip)]
    for done, clip in enumerate(missing, 1):
        held[clip.id] = _guess(clip, teacher)
        if done % SAVE_EVERY == 0 or done == len(missing):
            corpus.write(kept, list(held.values()))
            owner.write_text(f"{Path(manifest).resolve()}\n", "utf-8")
            print(f"{name}: {done}/{len(missing)} clips", flush=True)
    return [held[clip.id] for clip in clips]


def _is_of(utterance: Utterance, clip: Clip) -> bool:
    """Whether it was made of a recording as long as this, by the same speaker."""
    frames = clip.duration * VOICE_RATE / VOICE_HOP
    return utterance.speaker == _speaker(clip) and abs(len(utterance.f0) - frames) <= LENGTH_TOLERANCE


def _speaker(clip: Clip) -> str:
    return clip.speaker or "unknown"


def _guess(clip: Clip, teacher: Heart) -> Utterance:
    """Compute the features of a clip, with the durations that `teacher` gives or that the clip comes with."""
    samples = audio.read(clip.audio, VOICE_RATE).samples
    mel, phonemes = voice_log_mel(samples), _phonemes(clip)
    return Utterance(
        id=clip.id,
        speaker=_speaker(clip),
        tokens=corpus.tokens_of(phonemes),
        durations=align.spread(phonemes, _frames(clip, phonemes, mel, teacher)),
        f0=f0(samples, VOICE_RATE, VOICE_HOP),
        mel=mel.T.astype(np.float16),
    )


def _frames(clip: Clip, phonemes: str, mel: np.ndarray, teacher: Heart) -> np.ndarray:
    """(U,) frames of each unit, as a teacher's manifest says or as warped from heart's."""
    if "durations" in clip.extra:
        return align.unit_frames(phonemes, np.array(clip.extra["durations"]))
    taught = teacher.render_phonemes(phonemes.strip(BOUNDARY))
    return align.first_guess(phonemes, mel, taught.durations, voice_log_mel(taught.samples))


def _refine(guessed: dict[str, list[Utterance]]) -> dict[str, list[Utterance]]:
    """Refine the durations of all clips of a speaker together; leave out clips that do not fit."""
    by_speaker: dict[str, list[tuple[str, Utterance]]] = defaultdict(list)
    for name, utterances in guessed.items():
        for utterance in utterances:
            by_speaker[utterance.speaker].append((name, utterance))
    found: dict[str, list[Utterance]] = {name: [] for name in guessed}
    for own in by_speaker.values():
        refined = align.align([_alignment_input(utterance) for _, utterance in own])
        worst = _limit([each.score for each in refined])
        for (name, utterance), each in zip(own, refined, strict=True):
            if each.score >= worst:
                found[name].append(replace(utterance, durations=each.durations))
            else:
                print(f"left out: {utterance.id} (score {each.score:.2f}, the limit is {worst:.2f})")
    return found


def _alignment_input(utterance: Utterance) -> align.Spoken:
    phonemes = "".join(SYMBOLS[token] for token in utterance.tokens)
    frames = utterance.durations[[unit.token for unit in align.units(phonemes)]].astype(np.int64)
    return align.Spoken(phonemes, utterance.mel.T.astype(np.float32), frames)


def _limit(scores: list[float]) -> float:
    middle = np.median(scores)
    return float(middle - OUTLIER * max(np.median(np.abs(np.array(scores) - middle)), 0.1))


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
