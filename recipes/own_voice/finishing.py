"""The finished voice: a model folder with its card, and the report on how it was made and how good it is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from recipes.levels import note_level
from recipes.own_voice.choosing import Candidates, Choice, Tried
from recipes.own_voice.scoring import Scored, Spoken
from recipes.publishing import Training
from recipes.reporting import pictures, report
from recipes.reporting.scalars import read_curves
from recipes.tts.evaluate import Row
from recipes.tts.graphs import FILES
from recipes.tts.preparation.consent import Consent
from voice import audio
from voice.features import VOICE_RATE
from voice.models.card import Card, hashes, write_card
from voice.tts.acoustic import SOUNDS_FILE, SpeakerStats

SPOKEN_CONSENT = "consent.flac"
SHOWN = 10  # utterances in the report
CURVES = (
    "train/loss",
    "train/discriminators",
    "dev/mel",
    "train/flow",
    "dev/flow",
    "dev/duration",
    "dev/pitch",
)


@dataclass(frozen=True)
class Facts:
    """What the card says of a voice beside its networks and scores; `said`: a spoken consent's recording."""

    name: str
    consent: Consent
    license: str
    description: str
    origin: str
    training: Training
    said: Path | None = None


def write_voice(folder: Path, candidates: Candidates, choice: Choice, facts: Facts) -> Path:
    """Write a model folder: graphs, the recording of a spoken consent, and last the card, without scores."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(FILES)
    for name in FILES:
        shutil.copyfile(candidates.folder / name, folder / name)
    candidates.write_sounds(choice.contrast, folder / SOUNDS_FILE)
    if facts.said is not None:
        audio.write(folder / SPOKEN_CONSENT, audio.read(facts.said))
        names.append(SPOKEN_CONSENT)
    write_card(folder, make_card(candidates, choice, facts, hashes(folder, names)))
    note_level(folder)
    return folder


def make_card(candidates: Candidates, choice: Choice, facts: Facts, files: Mapping[str, str]) -> Card:
    """Return the card of a voice."""
    stats = SpeakerStats(**asdict(candidates.range), liveliness=choice.liveliness, gain=choice.gain)
    options = {
        "speakers": {facts.name: asdict(stats)},
        "contrast": choice.contrast,
        "steps": candidates.steps,
    }
    return Card(
        facts.name, "voice", "acoustic", VOICE_RATE, "en", facts.license, facts.description, facts.origin,
        files, options, consent=facts.consent.table(),
    )  # fmt: skip


def write_report(
    path: Path, facts: Facts, scored: Scored, choice: Choice, tried: Sequence[Tried], runs: Mapping[str, Path]
) -> Path:
    """Write the report as one HTML file. `runs` are the folders of sounds and prosody by name."""
    said = facts.consent
    sections = [
        report.Section("Made of", [_facts_table(facts), report.Paragraph(
            f"{said.person} agreed on {said.date} ({said.kind}): {said.statement}"
        )]),
        report.Section("Scores", [_score_table(scored.rows)]),
        report.Section("Chosen on sentences that were not learned", [_choice_table(choice, tried)]),
        report.Section("Curves", [_curves(name, folder) for name, folder in runs.items()]),
        report.Section("The sentences that went worst", [_utterance(each) for each in scored.worst(SHOWN)]),
    ]  # fmt: skip
    return report.write_report(path, report.Report(facts.name, facts.description, sections))


def _facts_table(facts: Facts) -> report.Table:
    return report.facts({**facts.training.table(), "license": facts.license, "origin": facts.origin})


def _score_table(rows: Sequence[Row]) -> report.Table:
    head = ("test", "who", "sentences", "WER (95 %)", "Distill-MOS", "likeness", "SD of log-F0")
    note = (
        "Likeness is the cosine of speaker embeddings with the recordings' mean; one voice has 0.8 and more."
    )
    cells = [
        (each.test, each.system, str(each.sentences), report.with_interval(each.rate, each.low, each.high),
         _number(each.mos), _number(each.own), f"{each.pitch_spread:.3f}")
        for each in rows
    ]  # fmt: skip
    return report.Table(head, cells, note)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _choice_table(choice: Choice, tried: Sequence[Tried]) -> report.Table:
    rows = [(f"contrast {each.contrast:g}", f"{each.quality:.2f}", f"{each.errors:.1%}") for each in tried]
    note = f"Taken: contrast {choice.contrast:g}, liveliness {choice.liveliness:g}, gain {choice.gain:g}."
    return report.Table(("", "Distill-MOS", "WER"), rows, note)


def _curves(name: str, folder: Path) -> report.Part:
    found = {key: points for key, points in read_curves(folder).items() if key in CURVES}
    return report.Picture(pictures.curves(found, name), name) if found else report.Paragraph(f"{name}: none")


def _utterance(spoken: Spoken) -> report.Utterance:
    """Return a sentence as it was heard, with its sound, its spectrogram and the times of its words."""
    sounds = [report.sound(spoken.speech.audio, "the voice")]
    shown = [
        pictures.spectrogram(spoken.speech.audio, [(w.start, w.end, w.text) for w in spoken.speech.words])
    ]
    if spoken.item.recording is not None:
        sounds.append(report.sound(spoken.item.recording, "the recording"))
        shown.append(pictures.spectrogram(spoken.item.recording))
    mos = f", Distill-MOS {spoken.judged.mos:.2f}" if spoken.judged.mos is not None else ""
    name = f"{spoken.judged.errors.errors} of {spoken.judged.errors.words} words wrong{mos}"
    heard = report.Hypothesis("heard", spoken.hypothesis, spoken.item.text)
    texts = (report.Hypothesis("said", spoken.item.text), heard)
    return report.Utterance(name, texts, sounds, [report.Picture(png) for png in shown])
