"""The graphs of a voice: text, curves and sounds as ONNX, which `voice.tts.acoustic` runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from recipes.exporting import WITH_GELU, Dynamic, Weights, convert_weights, trace
from recipes.tts import texts
from recipes.tts.corpus import tokens_of
from recipes.tts.model import CurveModel, ProsodyModel
from recipes.tts.sounds import MAGNITUDES, Decoder, TextModel, spectrum
from recipes.tts.trained import Trained
from voice.errors import VoiceError
from voice.text.alphabet import BOUNDARY, SYMBOLS
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences
from voice.tts.acoustic import CURVES_FILE, SOUNDS_FILE, TEXT_FILE
from voice.tts.frames import FEATURES, frame_features, token_frames
from voice.tts.stft import BINS

AUDIBLE = -1.5  # log amplitude from which a frame counts for the mean that contrast departs from
FILES = (TEXT_FILE, CURVES_FILE, SOUNDS_FILE)

Arrays = dict[str, np.ndarray]


class TextGraph(nn.Module):
    """tokens [1, L], speaker [1] → for the curves and for the sounds [1, L, width];
    durations, pitch, energy [1, L]"""

    def __init__(self, prosody: ProsodyModel, curves: CurveModel, text: TextModel):
        super().__init__()
        self.prosody, self.curves, self.text = prosody, curves, text

    def forward(self, tokens: Tensor, speaker: Tensor) -> tuple[Tensor, ...]:
        mask = torch.ones_like(tokens, dtype=torch.float32)[..., None]
        prosody = self.prosody.sample(tokens, speaker, mask).unbind(-1)
        return self.curves.hidden_states(tokens, speaker, mask), self.text(tokens, speaker, mask), *prosody


class CurvesGraph(nn.Module):
    """hidden [1, F, width], features [1, F, FEATURES] → pitch, loudness and voicing [1, F, 3]"""

    def __init__(self, model: CurveModel):
        super().__init__()
        self.model = model

    def forward(self, hidden: Tensor, features: Tensor) -> Tensor:
        curves: Tensor = self.model(hidden, features, torch.ones_like(features[..., :1]))
        return curves


class SoundsGraph(nn.Module):
    """frames [1, text + 1, F], f0 [1, F], speaker [1] → parts [1, 5, F, 601]"""

    def __init__(self, decoder: Decoder, middle: Tensor, contrast: Sequence[float]):
        """`middle` [S, 3, 601]: each speaker's mean magnitudes; `contrast` drives predictions away."""
        super().__init__()
        self.decoder = decoder
        factor = torch.tensor(contrast)[:, None]
        self.factor = nn.Embedding.from_pretrained(factor)
        self.offset = nn.Embedding.from_pretrained(middle.flatten(1) * (1 - factor))

    def forward(self, frames: Tensor, f0: Tensor, speaker: Tensor) -> Tensor:
        raw = self.decoder.raw(frames, f0, speaker)
        plain = [raw[:, :, i] for i in MAGNITUDES]
        factor = self.factor(speaker)[:, None]
        offsets = self.offset(speaker).unflatten(1, (3, 1, BINS)).unbind(1)
        sharper = [part * factor + offset for part, offset in zip(plain, offsets, strict=True)]
        louder = _level(sharper) - _level(plain)  # how loud a frame is stays as it was
        return spectrum(raw, [part - louder for part in sharper])


def _level(magnitudes: Sequence[Tensor]) -> Tensor:
    """Return [1, F, 1] logarithms of each frame's amplitude, by every eighth bin of three [1, F, 601]."""
    return torch.logsumexp(2 * torch.cat([each[..., ::8] for each in magnitudes], 2), 2, keepdim=True) / 2


def write_graphs(
    run: Trained, folder: Path, weights: Weights = "int8", contrast: Sequence[float] = ()
) -> None:
    """Write the three graphs, with each speaker's contrast (none: 1); sentences of any length, one by one.

    The text's, which runs once a sentence, is never multiplied in integers, and the curves' is small. Raises
    VoiceError unless there is a contrast for each speaker.
    """
    if contrast and len(contrast) != len(run.speakers):
        count = f"{len(contrast)} times for {len(run.speakers)} speakers"
        raise VoiceError(f"--contrast was given {count}: give one for each")
    plain: Weights = "float16" if weights == "int8" else weights
    _save(text_graph(run, plain), folder / TEXT_FILE)
    _save(curves_graph(run, plain), folder / CURVES_FILE, run.speaking.curves.reach)
    _save(sounds_graph(run, weights, contrast), folder / SOUNDS_FILE, run.sounds.size.reach)


def text_graph(run: Trained, weights: Weights) -> onnx.ModelProto:
    """Return the graph that reads a sentence."""
    graph = TextGraph(run.speaking.prosody, run.speaking.curves, run.sounds.text)
    given = torch.zeros(1, 20, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    dynamic: Dynamic = {"tokens": {1: torch.export.Dim("tokens", min=2)}, "speaker": {}}
    outputs = ["hidden", "sounds", "durations", "pitch", "energy"]
    return convert_weights(trace(graph, given, dynamic, outputs, opset=WITH_GELU), weights)


def curves_graph(run: Trained, weights: Weights) -> onnx.ModelProto:
    """Return the graph that draws fine pitch, loudness and voicing."""
    frames = torch.export.Dim("frames", min=2)
    given = torch.zeros(1, 40, run.speaking.shape.width), torch.zeros(1, 40, FEATURES)
    dynamic: Dynamic = {"hidden": {1: frames}, "features": {1: frames}}
    graph = CurvesGraph(run.speaking.curves)
    return convert_weights(trace(graph, given, dynamic, ["curves"], opset=WITH_GELU), weights)


def sounds_graph(run: Trained, weights: Weights, contrast: Sequence[float] = ()) -> onnx.ModelProto:
    """Return the graph that draws spectra."""
    frames, shown = torch.export.Dim("frames", min=2), examples(run)
    graph = SoundsGraph(
        run.sounds.decoder, mean_magnitudes(run, shown), contrast or [1.0] * len(run.speakers)
    )
    given = (
        torch.zeros(1, run.sounds.size.text + 1, 40),
        torch.zeros(1, 40),
        torch.zeros(1, dtype=torch.int64),
    )
    dynamic: Dynamic = {"frames": {2: frames}, "f0": {1: frames}, "speaker": {}}
    return convert_weights(
        trace(graph, given, dynamic, ["parts"], opset=WITH_GELU), weights, shown if weights == "int8" else ()
    )


def _save(proto: onnx.ModelProto, path: Path, reach: int | None = None) -> None:
    """Write a graph. `reach`: frames on both sides of each that it sees, for streaming."""
    if reach is not None:
        proto.metadata_props.add(key="reach", value=str(reach))
    onnx.save(proto, path)


@torch.no_grad()
def examples(run: Trained, count: int = 8) -> list[Arrays]:
    """Return what the decoder is given for invented sentences, each speaker in turn."""
    found, speakers = [], run.sounds.text.speakers.num_embeddings
    readings = (reading for text in texts.invent_sentences(1) for reading in spoken_sentences(text, ENGLISH))
    for number, reading in enumerate(islice(readings, count * speakers)):
        symbols = BOUNDARY + "".join(p for p in reading.phonemes if p in SYMBOLS) + BOUNDARY
        found.append(_frames(run, symbols, number % speakers))
    return found


@torch.no_grad()
def mean_magnitudes(run: Trained, shown: Sequence[Arrays]) -> Tensor:
    """Return [S, 3, 601], the mean over sound of the logarithms that are predicted for each speaker."""
    found: dict[int, list[Tensor]] = {}
    for given in shown:
        raw = run.sounds.decoder.raw(*(torch.from_numpy(given[name]) for name in ("frames", "f0", "speaker")))
        loud = given["frames"][0, -1]
        audible = loud >= min(
            AUDIBLE, np.quantile(loud, 0.75)
        )  # who was recorded quietly has loudest frames too
        found.setdefault(int(given["speaker"][0]), []).append(raw[0, audible])
    return torch.stack([torch.cat(found[speaker]).mean(0)[list(MAGNITUDES)] for speaker in sorted(found)])


def _frames(run: Trained, symbols: str, speaker: int) -> Arrays:
    """Return what the decoder is given for phonemes, as the runtime would compute it."""
    tokens = torch.from_numpy(tokens_of(symbols).astype(np.int64))[None]
    given = tokens, torch.tensor([speaker]), torch.ones(1, len(symbols), 1)
    duration, pitch, energy = run.speaking.prosody.sample(*given)[0].unbind(-1)
    durations = token_frames(symbols, torch.expm1(duration).numpy())
    index, features = frame_features(durations, pitch.numpy(), energy.numpy())
    hidden = run.speaking.curves.hidden_states(*given)[:, index]
    drawn = run.speaking.curves(hidden, torch.from_numpy(features)[None], torch.ones(1, len(index), 1))
    curve, loud, voicing = drawn.unbind(-1)
    own = run.setup.ranges[run.speakers[speaker]]
    hertz = torch.exp(own.pitch_mean + own.pitch_spread * curve) * (voicing > 0)
    frames = torch.cat([run.sounds.text(*given)[0, index].T, loud * own.energy_spread + own.energy_mean])
    return {"frames": frames[None].numpy(), "f0": hertz.numpy(), "speaker": np.array([speaker], np.int64)}
