"""How sharp, lively and loud a voice speaks, chosen on sentences that it never learned.

Spectra that were learned by regression are too smooth, pitch varies too little, and recordings are louder or
quieter than other voices. `contrast` is the one that Distill-MOS likes best among those that cost no words,
`liveliness` makes the spread of log-F0 that of the recordings, `gain` brings speech to the level of `heart`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from recipes.tts import graphs, scores, texts
from recipes.tts.corpus import Range
from recipes.tts.trained import Trained
from voice.metrics import reading_errors, total
from voice.tts.acoustic import CURVES_FILE, CURVES_REACH, SOUNDS_FILE, TEXT_FILE, Acoustic, SpeakerStats
from voice.tts.graphs import open_graph, reach_of
from voice.tts.vocoder import Vocoder
from voice.tts.voice import Voice, join
from voice.types import Audio, Synthesizer

ABOUT = "candidates.npz"
CONTRASTS = (1.0, 1.15, 1.3, 1.45)
CALM, LIVELY = 1.0, 1.6  # where the spread of pitch is measured; between and beyond it is taken for a line
CALMEST, LIVELIEST = 0.8, 2.0
QUIETEST, LOUDEST, PEAK = 0.3, 4.0, 0.95  # factors on samples, and where their peak may come to lie
SPARE = 0.02  # word errors per word that a contrast may cost
INVENTED = 7  # the seed of those sentences that the dev set has not
SOUNDING = 0.03  # of the loudest frame's amplitude, 30 dB below it: what counts for the level

Hear = Callable[[Audio], str]
Rate = Callable[[Audio], float]  # how good it sounds, 1 to 5


@dataclass(frozen=True)
class Choice:
    """What the card of a voice says beside its networks."""

    contrast: float = 1.0
    liveliness: float = 1.0
    gain: float = 1.0


@dataclass(frozen=True)
class Tried:
    """A contrast on some sentences: mean opinion score and word errors per word."""

    contrast: float
    quality: float
    errors: float


@dataclass(frozen=True, eq=False)
class Candidates:
    """A trained voice of which contrast, liveliness and gain can be changed.

    `folder` has its graphs without contrast; `middle` [1, 3, 601] are the mean log-magnitudes that contrast
    departs from.
    """

    folder: Path
    range: Range
    middle: np.ndarray
    steps: int
    threads: int = 1

    @classmethod
    def export(cls, run: Trained, folder: Path, threads: int = 1) -> Candidates:
        """Write the graphs of a run with one speaker."""
        folder.mkdir(parents=True, exist_ok=True)
        graphs.write_graphs(run, folder, "int8", (1.0,))
        middle = graphs.mean_magnitudes(run, graphs.examples(run)).numpy()
        stats = asdict(run.setup.ranges[run.speakers[0]])
        np.savez(folder / ABOUT, middle=middle, steps=run.step, **stats)
        return cls.open(folder, threads)

    @classmethod
    def open(cls, folder: Path, threads: int = 1) -> Candidates:
        """Return what `export` wrote."""
        with np.load(folder / ABOUT, allow_pickle=False) as file:
            stats = {each.name: float(file[each.name]) for each in fields(Range)}
            return cls(folder, Range(**stats), file["middle"], int(file["steps"]), threads)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files that it consists of."""
        return tuple(self.folder / name for name in (*graphs.FILES, ABOUT))

    def voice(self, choice: Choice) -> Voice:
        """Return the voice as it speaks with a choice."""
        path = self.write_sounds(choice.contrast, self.folder / f"sounds-{choice.contrast:g}.onnx")
        text, curves = (
            open_graph(self.folder / name, threads=self.threads) for name in (TEXT_FILE, CURVES_FILE)
        )
        stats = SpeakerStats(**asdict(self.range), liveliness=choice.liveliness, gain=choice.gain)
        decoder = Vocoder.open(path, threads=self.threads, speaker=0)
        return Voice(Acoustic(text, curves, decoder, 0, stats, reach_of(curves, CURVES_REACH)))

    def write_sounds(self, contrast: float, path: Path) -> Path:
        """Write the sounds' graph with a contrast, and return its path."""
        model = onnx.load(str(self.folder / SOUNDS_FILE))
        change_contrast(model, self.middle, contrast)
        onnx.save(model, path)
        return path


def change_contrast(model: onnx.ModelProto, middle: np.ndarray, contrast: float) -> None:
    """Give an exported graph of sounds another contrast; `middle` [S, 3, 601] are each speaker's means."""
    values = {
        "factor": np.full((len(middle), 1), contrast),
        "offset": middle.reshape(len(middle), -1) * (1 - contrast),
    }
    for tensor in model.graph.initializer:
        part = tensor.name.split(".")[0]
        if tensor.name.startswith(("factor.weight", "offset.weight")):
            kind = numpy_helper.to_array(tensor).dtype
            tensor.CopyFrom(numpy_helper.from_array(values.pop(part).astype(kind), tensor.name))
    assert not values, "the graph has lost its contrast"


def pick_sentences(own: Sequence[str], count: int, seed: int = INVENTED) -> list[str]:
    """Return `count` sentences: at most half of them of `own`, the others invented."""
    some = list(dict.fromkeys(own))[: count // 2]
    return [*some, *islice(texts.invent_sentences(seed), count - len(some))]


def choose(
    candidates: Candidates, said: Sequence[str], hear: Hear, rate: Rate, model: Synthesizer
) -> tuple[Choice, list[Tried]]:
    """Return the best choice, and what was tried; `model` is a voice of the level that speech should have."""
    liveliness = choose_liveliness(candidates, said)
    tried, heard = [], {}
    for contrast in CONTRASTS:
        sounds = speak(candidates.voice(Choice(contrast, liveliness)), said)
        errors = total([reading_errors(text, hear(sound)) for text, sound in zip(said, sounds, strict=True)])
        tried.append(Tried(contrast, float(np.mean([rate(sound) for sound in sounds])), errors.rate))
        heard[contrast] = sounds
    best = best_contrast(tried)
    gain = choose_gain(heard[best], speak(model, said))
    return Choice(best, round(liveliness, 2), round(gain, 2)), tried


def best_contrast(tried: Sequence[Tried]) -> float:
    """Return the contrast that sounds best among those that cost no words."""
    fewest = min(each.errors for each in tried)
    clear = [each for each in tried if each.errors <= fewest + SPARE]
    return max(clear, key=lambda each: each.quality).contrast


def choose_liveliness(candidates: Candidates, said: Sequence[str]) -> float:
    """Return the liveliness with which log-F0 spreads as in the recordings."""
    spreads = []
    for liveliness in (CALM, LIVELY):
        sounds = speak(candidates.voice(Choice(liveliness=liveliness)), said)
        spreads.append(scores.pitch_spread(map(scores.log_f0, sounds)))
    return match_spread(spreads[0], spreads[1], candidates.range.pitch_spread)


def match_spread(calm: float, lively: float, wanted: float) -> float:
    """Return the liveliness at which a line through the spreads at CALM and LIVELY has the one `wanted`."""
    slope = (lively - calm) / (LIVELY - CALM)
    if not np.isfinite(slope) or slope <= 1e-3:  # of a voice that does not follow
        return CALM
    return float(np.clip(CALM + (wanted - calm) / slope, CALMEST, LIVELIEST))


def choose_gain(sounds: Sequence[Audio], models: Sequence[Audio]) -> float:
    """Return the factor that brings sounds to the level of others, and no peak beyond PEAK."""
    wanted, is_now = (float(np.mean([level(each) for each in some])) for some in (models, sounds))
    peak = max(float(np.abs(each.samples).max()) for each in sounds)
    gain = min(np.exp(wanted - is_now), PEAK / max(peak, 1e-3))
    return float(np.clip(gain, QUIETEST, LOUDEST))


def level(sound: Audio) -> float:
    """Return the natural logarithm of the root mean square of what sounds."""
    hop = sound.rate // 50
    frames = sound.samples[: len(sound.samples) // hop * hop].reshape(-1, hop)
    power = np.square(frames).mean(1)
    return float(np.log(power[power >= SOUNDING**2 * power.max()].mean() + 1e-12) / 2)


def speak(voice: Synthesizer, said: Sequence[str]) -> list[Audio]:
    """Return each text as sound."""
    return [join(voice.speak(text)).audio for text in said]
