"""What is learned from, what is learned, and how long that takes: the recipes of `recipes/tts` in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from recipes.adversarial import AdversarialOptions
from recipes.own_voice.recordings import Recordings
from recipes.reporting.scalars import seconds_per_step
from recipes.tts import prepare, teach, train, train_prosody

TEACHER = "heart"  # its speech beside the recordings keeps words clear and prosody lively
SHARE = 0.3  # how often its pieces are drawn, the voice's own being 1
PLAIN, SHARP, EVEN = 10, 8, 14  # steps that are timed: of spectra alone, with discriminators, of prosody
FEW = 4  # in place of each where networks are small, whose times nobody needs; the first three do not count
NEVER, AT_ONCE = 10**9, -1_000  # first steps of discriminators


@dataclass(frozen=True)
class Learning:
    """What decides how a voice is learned. `base` is what its sounds begin with, None hibari's network."""

    base: Path | None = Path(__file__).parents[1] / "tts" / "voices.safetensors"
    beside: float = 30.0  # minutes of the teacher's speech
    sounds_steps: int = 900
    adversarial_from: int = 200  # the first step with discriminators
    prosody_steps: int = 600
    batch: int = 8  # pieces of sound in a step; half of what a corpus of hours is trained with
    discriminated: int = 4  # of them, those that discriminators see
    threads: int = 1
    small: bool = False  # networks to try with, which begin with nothing


@dataclass(frozen=True)
class Features:
    """Feature files, and the manifests that name their sound."""

    folder: Path
    recordings: Recordings
    taught: Path

    @property
    def own(self) -> Path:
        return self.folder / f"{self.recordings.folder.name}-train.npz"

    @property
    def dev(self) -> Path:
        return self.folder / f"{self.recordings.folder.name}-dev.npz"

    @property
    def teacher(self) -> Path:
        return self.folder / f"{TEACHER}-train.npz"

    @property
    def manifests(self) -> tuple[Path, ...]:
        return self.recordings.train, self.recordings.dev, self.taught


def teach_beside(recordings: Recordings, out: Path, minutes: float) -> Path:
    """Let the teacher speak invented sentences and the recordings' own; return its manifest."""
    teach.main(teach.Options(TEACHER, minutes, out, (recordings.train,)))
    return out / TEACHER / "train.jsonl"


def make_features(recordings: Recordings, taught: Path, out: Path) -> Features:
    """Find phonemes, their times, pitch and loudness of the recordings and of the teacher's speech."""
    made = Features(out, recordings, taught)
    prepare.main(prepare.Options(tuple(str(path) for path in made.manifests), out))
    return made


def sounds_options(features: Features, learning: Learning, out: Path, steps: int) -> train.Options:
    """Return how the sounds are learned."""
    options = train.Options(
        features=(features.own, features.teacher), dev=(features.dev,), manifest=features.manifests,
        share=(f"{TEACHER}={SHARE}",), out=out, steps=steps, warm_start=learning.base, batch=learning.batch,
        adversarial=AdversarialOptions(
            adversarial_from=learning.adversarial_from, discriminators_rate=4e-4,
            discriminators_batch=learning.discriminated,
        ),
        threads=learning.threads,
    )  # fmt: skip
    if not learning.small:
        return options
    small = train.small_discriminators(options.adversarial)
    return replace(options, warm_start=None, cold=True, small=True, batch=2, seconds=0.3, adversarial=small)


def prosody_options(features: Features, learning: Learning, out: Path, steps: int) -> train_prosody.Options:
    """Return how lengths, pitch and loudness are learned."""
    return train_prosody.Options(
        features=(features.own, features.teacher), dev=(features.dev,), out=out, steps=steps,
        threads=learning.threads, small=learning.small,
    )  # fmt: skip


@dataclass(frozen=True)
class Times:
    """Seconds that a step takes on this machine: of sounds without and with discriminators, of prosody."""

    plain: float
    sharp: float
    prosody: float

    def sounds(self, steps: int, adversarial_from: int) -> float:
        """Return the mean seconds of a step of sounds."""
        plain = min(adversarial_from, steps)
        return (plain * self.plain + (steps - plain) * self.sharp) / max(1, steps)


def time_steps(features: Features, learning: Learning, out: Path) -> Times:
    """Train for some steps of each kind, to know how long all of them will take."""
    seconds = []
    for kind, steps, first in (("plain", PLAIN, NEVER), ("sharp", SHARP, AT_ONCE)):
        timed = FEW if learning.small else steps
        some = sounds_options(features, replace(learning, adversarial_from=first), out / kind, timed)
        train.main(replace(some, dev=(), save_every=NEVER, fresh=True))
        seconds.append(seconds_per_step(out / kind))
    even = FEW if learning.small else EVEN
    some_prosody = prosody_options(features, learning, out / "prosody", even)
    train_prosody.main(replace(some_prosody, save_every=NEVER, fresh=True))
    return Times(seconds[0], seconds[1], seconds_per_step(out / "prosody"))
