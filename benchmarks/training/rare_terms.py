"""Terms that nobody has recorded: how often recognizers miss them before and after `--words`.

    voice train recognizer --words benchmarks/training/rare_terms.txt --name clinic
    python -m benchmarks.training.rare_terms --model quick --model clinic

Ten names of drugs. They are said by voices that have read nothing for the tuning, in sentences of which it
had none; other speech is scored beside them (`--general`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recipes.asr.tuning.companions import transcribe_clips
from recipes.asr.tuning.general import speak_texts, speaking_voices
from recipes.asr.tuning.sets import clips_of
from recipes.asr.tuning.terms import LEARNED, WATCHED, read_terms, sentences, term_errors
from voice.errors import VoiceError
from voice.manifest import Clip, read_manifest, write_manifest

TERMS = Path(__file__).with_name("rare_terms.txt")
CARRIERS = (
    "The doctor has put her on {} since March.",
    "Take {} with a glass of water in the evening.",
    "Two of the patients on {} felt better after a week.",
    "We are almost out of {}, so order more today.",
)
assert not set(CARRIERS) & {*LEARNED, *WATCHED}
VOICES, READINGS = 4, 3  # of each term by each voice


def let_voices_say(terms: tuple[str, ...], folder: Path) -> list[Clip]:
    """Return recordings of the terms by voices that are not among those that `--words` chooses itself."""
    manifest = folder / "test.jsonl"
    if not manifest.exists():
        heard = set(speaking_voices())
        voices = [name for name in speaking_voices(count=len(heard) + VOICES) if name not in heard]
        if len(voices) < VOICES:
            raise VoiceError(
                "there are too few voices here that the tuning has not heard; see `voice models`"
            )
        pairs = sentences(terms, voices, CARRIERS, READINGS, seed=5)
        write_manifest(manifest, list(speak_texts(pairs, folder / "audio", seed=5)))
    return read_manifest(manifest)


def main(
    model: Annotated[list[str], typer.Option(help="A recognizer; repeatable.")],
    terms: Annotated[Path, typer.Option(help="Terms, one a line.")] = TERMS,
    general: Annotated[list[str] | None, typer.Option(help="A manifest of other speech; repeatable.")] = None,
    out: Annotated[Path, typer.Option(help="The folder of the recordings.")] = Path("runs/rare_terms"),
    threads: int = 1,
) -> None:
    """Print how many terms each recognizer misses, and its word errors on these recordings and on others."""
    asked = read_terms(terms)
    clips = let_voices_say(asked, out)
    others = [clip for clip in clips_of(general or ()) if clip.text]
    for name in model:
        found = transcribe_clips(name, clips, "en", threads)
        missed, said = term_errors(asked, found.references, found.hypotheses)
        line = f"{name}: {missed} of {said} terms missed, {found.describe()} word errors"
        if others:
            line += f"; other speech {transcribe_clips(name, others, 'en', threads).describe()}"
        print(line, flush=True)


if __name__ == "__main__":
    typer.run(main)
