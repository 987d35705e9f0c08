"""The stages of a new voice, in the folder of its run: each a call of a recipe that can be resumed."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recipes.own_voice import finishing, listening
from recipes.own_voice.choosing import Candidates, Choice, Tried, choose, pick_sentences
from recipes.own_voice.evaluate import evaluate, on_recordings
from recipes.own_voice.learning import (
    TEACHER,
    Features,
    Learning,
    Times,
    make_features,
    prosody_options,
    sounds_options,
    teach_beside,
    time_steps,
)
from recipes.own_voice.options import Options, is_spoken
from recipes.own_voice.recordings import Recordings, prepare_recordings
from recipes.own_voice.scoring import Extent
from recipes.planning import Estimate, Pace, peak_memory, share_minutes
from recipes.publishing import Training, publish
from recipes.stages import Result, Results, Stage, Work, check_trained
from recipes.tts import train, train_prosody
from recipes.tts.preparation import consent
from recipes.tts.preparation.consent import Consent
from recipes.tts.trained import keep_speakers, load_run, set_noise
from voice import audio
from voice.loading import load_voice
from voice.manifest import read_manifest
from voice.models.card import NAME

COMPARED = 12  # recordings that the speaker of a spoken consent is compared with
CHOSEN_BY = 40  # sentences that contrast and liveliness are chosen on
TEMPERATURE = (0.4, 1.0, 0.6)  # of the flow, for length, pitch and energy
LEAST = {"sounds": 500, "prosody": 300}  # steps that are worth their time
# Minutes on two cores that are not measured first, with half an hour of the teacher's speech.
MINUTES = {
    "recordings": 0.2, "consent": 0.3, "teacher": 0.7, "features": 1.0, "measure": 1.0, "choose": 3.0,
    "publish": 3.0,
}  # fmt: skip
MEMORY = 2.7  # GB, of the training of prosody
ORIGIN = (
    "hibari-tts 0.2.1's network (Apache-2.0), changed by recipes/own_voice: trained on recordings of {0}; "
    "beside them on speech that heart made (Apache-2.0){1}"
)
BASED = "; begun with the voices of recipes/tts/voices.safetensors (Apache-2.0)"


Step = Callable[[Work], Result]


@dataclass(frozen=True)
class Making:
    """The stages of one voice, in the folder `root`."""

    options: Options
    root: Path

    @property
    def recordings(self) -> Recordings:
        return Recordings(self.root / "recordings")

    @property
    def features(self) -> Features:
        return Features(
            self.root / "features", self.recordings, self.root / "teacher" / TEACHER / "train.jsonl"
        )

    @property
    def report(self) -> Path:
        return self.root / "publish" / "report.html"

    @property
    def graphs(self) -> Path:
        """Return the folder of the exported graphs, whose contrast can be changed."""
        return self.root / "choose" / "graphs"

    @property
    def threads(self) -> int:
        return self.options.threads or os.cpu_count() or 1

    @property
    def learning(self) -> Learning:
        o, given = self.options, {"hibari": None, "voices": Learning.base}
        base = given[o.base] if o.base in given else Path(o.base)
        return Learning(
            base, o.beside, o.sounds_steps, prosody_steps=o.prosody_steps, threads=self.threads, small=o.smoke
        )

    @property
    def extent(self) -> Extent:
        """Return how much of the finished voice is judged."""
        o = self.options
        return Extent(2, 2, o.recognizer) if o.smoke else Extent(recognizer=o.recognizer)

    def stages(self) -> list[Stage]:
        """Return all that is to be done, in order."""
        o = self.options
        spoken = Path(o.consent or "") if is_spoken(o.consent) else o.consent
        return [
            self._stage("recordings", "read and split the recordings", self.read,
                        {"source": o.source, "speaker": o.speaker, "name": o.name}),
            self._stage("consent", "check that they agreed whose voice it is", self.agree, {"given": spoken}),
            self._stage("teacher", "let heart speak beside it", self.teach, {"minutes": o.beside}),
            self._stage("features", "align phonemes, find pitch and loudness", self.prepare),
            self._stage("measure", "time some steps of training", self.measure, {"base": o.base}),
            self._training("prosody", "learn lengths, pitch and loudness", self.learn_prosody),
            self._training("sounds", "learn how phonemes sound", self.learn_sounds),
            self._stage("choose", "choose contrast, liveliness and gain", self.choose),
            self._stage("publish", "score it, write card and report", self.finish,
                        {"out": o.out, "recognizer": o.recognizer, "license": o.license,
                         "description": o.description}),
        ]  # fmt: skip

    def _stage(self, name: str, does: str, run: Step, inputs: Mapping[str, Any] | None = None) -> Stage:
        return Stage(name, does, run, inputs or {}, estimate=lambda _: Estimate(MINUTES[name]))

    def _training(self, name: str, does: str, run: Step) -> Stage:
        return Stage(
            name, does, run, extent=lambda results: self.steps(results).get(name),
            estimate=partial(self._estimate, name),
        )  # fmt: skip

    def steps(self, results: Results) -> dict[str, int]:
        """Return the steps of both trainings, {} as long as they are not timed."""
        paces = self._paces(results)
        return share_minutes(self.options.minutes, sum(MINUTES.values()), paces) if paces else {}

    def _paces(self, results: Results) -> dict[str, Pace]:
        if "measure" not in results:
            return {}
        times, learning = Times(**results["measure"].notes["seconds"]), self.learning
        sounds = times.sounds(learning.sounds_steps, learning.adversarial_from)
        return {
            "sounds": Pace(sounds, learning.sounds_steps, min(LEAST["sounds"], learning.sounds_steps)),
            "prosody": Pace(
                times.prosody, learning.prosody_steps, min(LEAST["prosody"], learning.prosody_steps)
            ),
        }

    def _estimate(self, name: str, results: Results) -> Estimate | None:
        paces = self._paces(results)
        if not paces:
            return None
        steps = self.steps(results)[name]
        memory = results["measure"].notes["memory"] or MEMORY
        return Estimate(paces[name].minutes(steps), steps, memory)

    def read(self, work: Work) -> Result:
        """Read the recordings and write their manifests."""
        o = self.options
        made = prepare_recordings(o.source, work.folder, o.name, o.speaker)
        counts = {path.stem: len(read_manifest(path)) for path in made.all}
        seconds = sum(clip.duration for path in made.all for clip in read_manifest(path))
        return Result({"clips": counts, "minutes": round(seconds / 60, 2)}, files=made.all)

    def agree(self, work: Work) -> Result:
        """Check the consent. Raises NoConsent."""
        given = self.options.consent
        if not is_spoken(given):
            return Result(consent.read_consent(given).table())
        path = Path(given or "")
        clips = read_manifest(self.recordings.train)[:COMPARED]
        hear, embed = listening.open_recognizer("quick", self.threads), listening.open_speakers(self.threads)
        found = consent.hear_consent(
            path, audio.read(path), [audio.read(clip.audio) for clip in clips], hear, embed,
            datetime.date.fromtimestamp(path.stat().st_mtime),
        )  # fmt: skip
        return Result(found.table())

    def teach(self, work: Work) -> Result:
        """Let the teacher speak."""
        return Result(files=(teach_beside(self.recordings, work.folder, self.options.beside),))

    def prepare(self, work: Work) -> Result:
        """Make features of the recordings and of the teacher's speech."""
        made = make_features(self.recordings, self.features.taught, work.folder)
        return Result(files=(made.own, made.dev, made.teacher))

    def measure(self, work: Work) -> Result:
        """Time some steps."""
        times = time_steps(self.features, self.learning, work.folder)
        return Result(notes={"seconds": asdict(times), "memory": peak_memory()})

    def learn_prosody(self, work: Work) -> Result:
        """Train lengths, pitch and loudness."""
        steps = self.steps(work.results)["prosody"]
        train_prosody.main(prosody_options(self.features, self.learning, work.folder / "run", steps))
        check_trained(work.folder / "run", steps)
        return Result({"steps": steps})

    def learn_sounds(self, work: Work) -> Result:
        """Train sounds."""
        steps = self.steps(work.results)["sounds"]
        train.main(sounds_options(self.features, self.learning, work.folder / "run", steps))
        check_trained(work.folder / "run", steps)
        return Result({"steps": steps})

    def choose(self, work: Work) -> Result:
        """Choose what the card says beside the networks."""
        run = load_run(self.root / "sounds" / "run", self.root / "prosody" / "run")
        set_noise(run.speaking.prosody, TEMPERATURE)
        run = keep_speakers(run, [self.options.name])
        candidates = Candidates.export(run, self.graphs, self.threads)
        own = [clip.text or "" for clip in read_manifest(self.recordings.dev)]
        said = pick_sentences(own, 2 if self.options.smoke else CHOSEN_BY)
        hear, rate = listening.open_recognizer("quick", self.threads), listening.open_quality()
        choice, tried = choose(candidates, said, hear, rate, load_voice(TEACHER, threads=self.threads))
        return Result(asdict(choice), {"tried": [asdict(each) for each in tried]}, candidates.files)

    def finish(self, work: Work) -> Result:
        """Score the voice, write its folder with the card, and the report."""
        o, before = self.options, work.results
        choice, candidates = Choice(**before["choose"].facts), Candidates.open(self.graphs, self.threads)
        facts, sources = self.facts(before), self.recordings
        made = finishing.write_voice(work.folder / o.name, candidates, choice, facts)
        scored = evaluate(str(made), sources.all, sources.test, self.extent, self.threads)
        tried = [Tried(**each) for each in before["choose"].notes["tried"]]
        folders = {name: self.root / name / "run" for name in ("sounds", "prosody")}
        written = finishing.write_report(self.report, facts, scored, choice, tried, folders)
        how = on_recordings(sources, self.extent)
        model = publish(made, o.name, o.out, facts.training, scored.table(), how)
        return Result({"model": str(model), "summary": scored.summary()}, files=(model / NAME, written))

    def facts(self, before: Results) -> finishing.Facts:
        """Return what the card says of the voice's making."""
        o, agreed = self.options, Consent(**before["consent"].facts)
        clips, minutes = before["recordings"].facts["clips"], before["recordings"].facts["minutes"]
        steps = {f"steps_of_{name}": before[name].facts["steps"] for name in ("sounds", "prosody")}
        more = {"splits": clips, "teacher": f"{o.beside:g} minutes of {TEACHER}", "base": o.base} | steps
        training = Training(o.source, sum(clips.values()), minutes / 60, o.command, self.root, more)
        return finishing.Facts(
            o.name, agreed, o.license or f"not stated; ask {agreed.person}",
            o.description or f"The voice of {agreed.person}, from {minutes:.1f} minutes of recordings",
            ORIGIN.format(agreed.person, BASED if o.base == "voices" else ""), training,
            Path(o.consent or "") if agreed.kind == "spoken" else None,
        )  # fmt: skip
