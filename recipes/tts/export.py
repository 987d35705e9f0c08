"""What two runs learned, sounds and prosody → a voice that `voice` speaks with: graphs, and their card.

    python -m recipes.tts.export --run runs/sounds --prosody runs/prosody --speaker anna \
        --consent statement.toml --out my-voice

The averaged weights are exported; the sounds' matrices are multiplied in eight bits. Symbols that
training never met are spoken as the ones most like them. Predicted pitch varies less than speech does:
`--temperature` and `--liveliness` give that back. `--scores` takes a table by `evaluate.py --json`. A voice
is not exported without a consent; those that `--voices` lists have the origin and license of their corpus.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recipes.evaluations import Measured, measured_in
from recipes.exporting import Weights, rows_about
from recipes.kept_weights import Which
from recipes.levels import note_level
from recipes.options import option, parse
from recipes.tts.graphs import FILES, write_graphs
from recipes.tts.preparation.consent import read_consent
from recipes.tts.trained import Trained, keep_speakers, load_run, set_noise, write_start
from voice.features import VOICE_RATE
from voice.models.card import GRAPHS, PRETRAINED, Card, hashes, read_card, write_card
from voice.tts.acoustic import SpeakerStats


@dataclass(frozen=True)
class Options:
    run: Path = option(Path("runs/sounds"), "folder that train.py wrote")
    prosody: Path = option(Path("runs/prosody"), "folder that train_prosody.py wrote")
    speaker: tuple[str, ...] = option((), "speaker to export, the default one first (repeatable)")
    out: Path = option(Path("runs/voice"), "the model folder to write")
    contrast: tuple[float, ...] = option(
        (), "factor on the predicted spectra's departures from their mean; for every speaker one (repeatable)"
    )
    liveliness: float = option(1.0, "factor on the predicted pitch's departures from its mean")
    temperature: tuple[float, ...] = option((0.4, 1.0, 0.6), "of the flow, for length, pitch and energy")
    pace: float = option(1.0, "factor on the predicted durations")
    gain: float = option(1.0, "factor on the samples, for speakers who were recorded quietly")
    which: Which = option("average", "the newest average, or what the sounds' run kept of its checks")
    weights: Weights = option("int8", "how matrices are stored and multiplied; float16 computes in float32")
    license: str = option("not stated", "its license")
    description: str = option("", "who speaks, for its card")
    consent: str | None = option(None, "whose voice it is and that they agreed: a statement, or a TOML file")
    origin: str = option(
        "hibari-tts 0.2.1's network (Apache-2.0), changed by recipes/tts",
        "what it was trained on, for its card",
    )
    voices: Path | None = option(
        None, "a list of voices instead, such as voices.toml; --out then holds their folders"
    )
    scores: Path | None = option(None, "a table by evaluate.py --json, for its card")
    start: Path | None = option(
        None, "where to write all speakers' sounds too, for other voices to begin with"
    )


def export(run: Trained, options: Options) -> Path:
    """Write the model folder; its card comes last, so that a broken export is not taken for a voice.

    Raises NoConsent for a voice that is none of a list's and has none.
    """
    agreed = {} if options.voices else read_consent(options.consent).table()
    run = keep_speakers(run, options.speaker)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out.parent, prefix=".export-") as beside:
        stage = Path(beside)
        write_graphs(run, stage, options.weights, options.contrast)
        stats = {name: _speaker_stats(run, options, name) for name in options.speaker}
        settings, files = {"speakers": stats, "steps": run.step}, hashes(stage, FILES)
        write_card(stage, _card(options.out, files, settings, asdict(options), options.scores, agreed))
        options.out.mkdir(exist_ok=True)
        for name in (*FILES, "model.toml"):
            os.replace(stage / name, options.out / name)
    note_level(options.out)
    return options.out


def _card(
    folder: Path, files: Mapping[str, str], settings: Mapping[str, Any], about: Mapping[str, Any],
    scores: Path | None, consent: Mapping[str, Any],
) -> Card:  # fmt: skip
    """Return the card of the voice in `folder`; `about` has its license, description and origin."""
    measured = card_scores(folder, scores)
    return Card(
        folder.name, "voice", "acoustic", VOICE_RATE, "en", about["license"], about["description"],
        about["origin"], dict(files), dict(settings), measured.scores, consent,
        evaluation=measured.evaluation,
    )  # fmt: skip


def _speaker_stats(run: Trained, options: Options, speaker: str) -> dict[str, float]:
    """Return what the card says of a speaker."""
    chosen = {"liveliness": options.liveliness, "pace": options.pace, "gain": options.gain}
    return asdict(SpeakerStats(**asdict(run.setup.ranges[speaker]), **chosen))


def export_all(run: Trained, voices: Path, options: Options) -> Path:
    """Write the voices that a file lists: the first gets the model's folder, the others a copy of its graphs,
    or, where they come with this package, cards that point to it."""
    rows = tomllib.loads(voices.read_text("utf-8"))
    first, speakers = next(iter(rows)), tuple(row["speaker"] for row in rows.values())
    chosen = {
        row["speaker"]: replace(options, gain=row["gain"], liveliness=row["liveliness"])
        for row in rows.values()
    }
    stats = {speaker: _speaker_stats(run, chosen[speaker], speaker) for speaker in speakers}
    contrast = tuple(row.get("contrast", 1.0) for row in rows.values())
    whole = export(run, replace(options, speaker=speakers, contrast=contrast, out=options.out / first))
    files, shares = read_card(whole).files, options.out.resolve() == PRETRAINED.resolve()
    for name, row in rows.items():
        folder = options.out / name
        folder.mkdir(exist_ok=True)
        settings: dict[str, Any] = {"speaker": row["speaker"], "speakers": stats, "steps": run.step}
        listed = files
        if name != first and shares:
            settings = {GRAPHS: f"../{first}"} | settings
            listed = {f"../{first}/{file}": value for file, value in files.items()}
        elif name != first:
            for file in files:
                shutil.copyfile(whole / file, folder / file)
        write_card(folder, _card(folder, listed, settings, row, options.scores, {}))
        note_level(folder)
    return whole


def card_scores(folder: Path, table: Path | None) -> Measured:
    """Return what the card of the voice in `folder` has of a table by evaluate.py."""
    rows = rows_about(folder, table, "system")
    rates = {f"{row['test']} WER": round(row["rate"], 4) for row in rows}
    scores = {f"{row['test']} Distill-MOS": round(row["mos"], 2) for row in rows if row["mos"] is not None}
    most = max((row["sentences"] for row in rows), default=0)
    command = {"command": f"python -m recipes.tts.evaluate --system {folder.name} --limit {most}"}
    options = {"limit": most, "mos": bool(scores)}
    return measured_in("recipes.tts.evaluate", rows, "test", rates | scores | command, options)


def main(options: Options) -> None:
    run = load_run(options.run, options.prosody, options.which)
    if options.start:
        write_start(run, options.start)
    set_noise(run.speaking.prosody, options.temperature)
    folder = export_all(run, options.voices, options) if options.voices else export(run, options)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(f"{folder}: {size:.1f} MB, {run.step} steps")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
