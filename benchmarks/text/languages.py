"""How well the voices of each language are understood: sentences spoken, then heard by a recognizer.

    python -m benchmarks.text.languages [--language it] [--count 40] [--model whisper-base]

The sentences are the first of `sentences/`; none is in a text that anything of ours was trained on. Each
language is spoken by the voice of its card, on one thread, and heard in that language. Characters are
counted after normalization, spaces among them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import perf_counter

import voice
from benchmarks.text.phonemes import sentences
from voice.metrics import Score, edit_distance, interval, normalize, total
from voice.text.registry import language_cards
from voice.tts.voice import join


def character_errors(written: str, heard: str, code: str) -> Score:
    """Return the edits between two texts in characters."""
    wanted = normalize(written, code)
    return Score(edit_distance(wanted, normalize(heard, code)), len(wanted))


def measure(code: str, texts: Sequence[str], model: str, verbose: bool) -> str:
    """Speak and hear each text; return a row of the table."""
    name = language_cards()[code].voice
    speaker, recognizer = voice.load_voice(name, threads=1), voice.load_recognizer(model, threads=1)
    scores, spent, spoken = [], 0.0, 0.0
    for text in texts:
        began = perf_counter()
        speech = join(speaker.speak(text))
        spent += perf_counter() - began
        spoken += speech.audio.duration
        heard = recognizer.transcribe(speech.audio, language=code).text
        scores.append(character_errors(text, heard, code))
        if verbose and scores[-1].errors:
            print(f"{scores[-1].errors:3} {text} | {heard}", flush=True)
    low, high = interval(scores)
    cells = [code, name, f"{total(scores).rate:.1%} ({low:.1%}–{high:.1%})", f"{spoken / spent:.1f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print one table, a row a language."""
    parser = argparse.ArgumentParser(description="voices of each language, heard by a recognizer")
    known = [code for code in language_cards() if code != "en"]
    parser.add_argument("--language", choices=known, action="append")
    parser.add_argument("--count", type=int, default=40, help="sentences a language")
    parser.add_argument("--model", default="whisper-base", help="the recognizer")
    parser.add_argument("--wrong", action="store_true", help="print what is heard otherwise")
    options = parser.parse_args()
    print("| language | voice | character errors | times real time |\n|---|---|---|---|")
    for code in options.language or known:
        print(measure(code, sentences(code)[: options.count], options.model, options.wrong), flush=True)


if __name__ == "__main__":
    main()
