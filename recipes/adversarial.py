"""Adversarial training: discriminators, their losses and their step, and what they add to a generator's loss.

Discriminators of folded waveforms (HiFi-GAN, Kong et al. 2020) and of spectra (EnCodec, Défossez et al.
2022), so small that a step on one CPU core stays well under a second; `--discriminator hifigan` takes
speechbrain's full-size ones instead, which want a GPU. Losses: hinge, and feature matching (Kumar et al.
2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from recipes.options import option
from recipes.scaling import GradientAccumulator, Precision, Scale
from recipes.training import Stateful, adamw, learning_rate, set_learning_rate
from voice.features import VOICE_RATE

Batch = TypeVar("Batch", bound=tuple[int, Any])  # its number and what it holds

RAMP = 300  # steps over which the adversarial terms come in
HEAD_START = 100  # steps that the discriminators learn before the generator hears of them
CLIP_NORM = 5.0  # of gradients, of the generator as of the discriminators
PERIODS = (2, 3, 5, 7, 11)
WINDOWS = (2048, 1024, 512)
SLOPE = 0.1
GAIN = 10.0  # brings speech, with an RMS of about 0.05, to the scale that the layers are made for


@dataclass(frozen=True)
class AdversarialOptions:
    """When discriminators come in, what they see and how much they count."""

    adversarial_from: int = option(1275, "the first step with discriminators")
    discriminator: Literal["small", "hifigan"] = option("small", "our own, or speechbrain's HiFi-GAN's")
    discriminators_width: int = option(16, "channels of the small discriminators' first layer")
    discriminators_batch: int = option(8, "pieces that discriminators see, of the batch")
    discriminators_seconds: float = option(0.3, "and how much of each")
    discriminators_rate: float = option(5e-4, "the discriminators' highest learning rate")
    adversarial_weight: float = option(0.25, "weight of the adversarial loss")
    feature_weight: float = option(1.0, "weight of the difference of the discriminators' features")


Judgment = tuple[Tensor, list[Tensor]]  # scores of any shape, features of each layer


class PeriodDiscriminator(nn.Module):
    """Sees the waveform folded into rows of `period` samples."""

    def __init__(self, period: int, width: int):
        super().__init__()
        self.period = period
        sizes = [1, width, 2 * width, 4 * width, 8 * width]
        self.layers = nn.ModuleList(convolution(a, b, (5, 1), (3, 1)) for a, b in pairwise(sizes))
        self.last = convolution(sizes[-1], 1, (3, 1))

    def forward(self, samples: Tensor) -> Judgment:
        """[B, T] → scores and features."""
        whole = samples.shape[1] // self.period * self.period
        return _judge(GAIN * samples[:, :whole].unflatten(1, (1, -1, self.period)), self.layers, self.last)


class SpectrumDiscriminator(nn.Module):
    """Sees real and imaginary parts of an STFT, halving the frequency axis layer by layer."""

    window: Tensor

    def __init__(self, window: int, width: int):
        super().__init__()
        self.size = window
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        sizes = [2, width, 2 * width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(convolution(a, b, (5, 3), (2, 1)) for a, b in pairwise(sizes))
        self.last = convolution(sizes[-1], 1, (3, 3))

    def forward(self, samples: Tensor) -> Judgment:
        """[B, T] → scores and features."""
        samples = samples * (GAIN / self.size**0.5)
        spectrum = torch.stft(samples, self.size, self.size // 4, window=self.window, return_complex=True)
        spectrum = spectrum[:, :-1]  # an even number of bins
        image = torch.stack([spectrum.real, spectrum.imag], 1)
        loudness = torch.sqrt(image.square().sum(1, keepdim=True) + 1e-6)
        return _judge(image / loudness.sqrt(), self.layers, self.last)  # compressed, phase kept


def convolution(
    channels: int, out: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Module:
    """Return a weight-normalized layer that keeps the size but for the stride and, at first, the variance."""
    layer = nn.Conv2d(channels, out, kernel, stride, padding=(kernel[0] // 2, kernel[1] // 2))
    nn.init.kaiming_normal_(layer.weight, SLOPE, nonlinearity="leaky_relu")
    return weight_norm(layer)


def _judge(x: Tensor, layers: nn.ModuleList, last: nn.Module) -> Judgment:
    """Return the judgment of `x` by `last`, and what each of `layers` makes of it."""
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        features.append(x)
    return last(x).float(), features


class Discriminators(nn.Module):
    """Several discriminators as one: [B, T] → one judgment each."""

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_load_state_dict_pre_hook(_rename_old_weights)  # type: ignore[no-untyped-call]  # in torch

    def forward(self, samples: Tensor) -> list[Judgment]:
        return [member(samples) for member in self.members]


class SpeechBrainDiscriminators(nn.Module):
    """speechbrain's discriminators of HiFi-GAN (multi-period and multi-scale, 71 M parameters)."""

    def __init__(self) -> None:
        super().__init__()
        from speechbrain.lobes.models.HifiGAN import HifiganDiscriminator

        self.members = HifiganDiscriminator()
        self.register_load_state_dict_pre_hook(_rename_old_weights)  # type: ignore[no-untyped-call]  # in torch

    def forward(self, samples: Tensor) -> list[Judgment]:
        scores, features = self.members(samples[:, None])
        return [(score.float(), layers[:-1]) for score, layers in zip(scores, features, strict=True)]


def _rename_old_weights(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Rename weights in place that a checkpoint of version 0.1 calls "critics"."""
    for name in [name for name in state if name.startswith(f"{prefix}critics.")]:
        state[f"{prefix}members.{name.removeprefix(f'{prefix}critics.')}"] = state.pop(name)


def make_discriminators(o: AdversarialOptions) -> nn.Module:
    """Return the discriminators that the options ask for: [B, T] → a list of judgments."""
    if o.discriminator == "hifigan":
        return SpeechBrainDiscriminators()
    periods = [PeriodDiscriminator(period, o.discriminators_width) for period in PERIODS]
    return Discriminators(
        [*periods, *(SpectrumDiscriminator(window, o.discriminators_width) for window in WINDOWS)]
    )


def discriminator_loss(real: Sequence[Judgment], made: Sequence[Judgment]) -> Tensor:
    """Return the hinge loss: real scores above 1, made ones below −1; mean over discriminators."""
    pairs = zip(real, made, strict=True)
    losses = [(1 - r).relu().mean() + (1 + m).relu().mean() for (r, _), (m, _) in pairs]
    return torch.stack(losses).mean()


def adversarial_loss(made: Sequence[Judgment]) -> Tensor:
    """Return the generator's loss, the lower the more real the discriminators take it for."""
    return torch.stack([-score.mean() for score, _ in made]).mean()


def feature_loss(real: Sequence[Judgment], made: Sequence[Judgment]) -> Tensor:
    """Return the L1 between features, relative to the real ones' size so that no layer rules."""
    layers = zip(real, made, strict=True)
    pairs = [(a.detach(), b) for (_, x), (_, y) in layers for a, b in zip(x, y, strict=True)]
    return torch.stack([(a - b).abs().mean() / (a.abs().mean() + 1e-3) for a, b in pairs]).mean()


Drawn = tuple[Tensor, Tensor]  # samples [B, T] that a generator made, and the real ones
Distance = Callable[[Tensor, Tensor], tuple[Tensor, dict[str, Tensor]]]  # a loss, and its parts to show


class AdversarialTraining:
    """The discriminators' side of a training: themselves, their optimizer, their steps and their terms."""

    def __init__(self, o: AdversarialOptions, scale: Scale) -> None:
        self.o, self.precision = o, scale.precision
        self.discriminators = make_discriminators(o).to(scale.device)
        self.optimizer = adamw(self.discriminators, o.discriminators_rate)
        self.gradients = scale.accumulator(self.optimizer, self.discriminators.parameters(), CLIP_NORM)

    @property
    def parts(self) -> dict[str, Stateful]:
        """What a checkpoint keeps of it, by name."""
        return {
            "discriminators": self.discriminators,
            "discriminator_optimizer": self.optimizer,
            "discriminator_gradients": self.gradients,
        }

    def teach(
        self, mine: Sequence[Batch], draw: Callable[[Batch], Drawn], step: int, steps: int
    ) -> tuple[list[Drawn | None], dict[str, Tensor]]:
        """Teach the discriminators, where it is time, with a step's numbered batches.

        `draw` gives what the generator makes of a batch, with gradients. It is returned for the generator's
        own step; of several batches, whose gradients may not fit into memory at once, None: draw them again.
        Returns the losses to show as well.
        """
        if step < self.o.adversarial_from:
            return [None] * len(mine), {}
        set_learning_rate(self.optimizer, learning_rate(step, steps, self.o.discriminators_rate))
        drawn: list[Drawn | None] = []
        losses = []
        for batch in mine:
            with torch.set_grad_enabled(len(mine) == 1):
                made, real = draw(batch)
            some, some_real = excerpts(made.detach(), real, self.o, batch[0])
            with self.precision.autocast():
                loss = discriminator_loss(*_halves(self.discriminators(torch.cat([some_real, some]))))
            self.gradients.backward(loss)
            losses.append(loss.detach())
            drawn.append((made, real) if len(mine) == 1 else None)
        self.gradients.step()
        return drawn, {"discriminators": torch.stack(losses).mean()}

    def learn(
        self, mine: Sequence[Batch], draw: Callable[[Batch], Drawn], distance: Distance,
        gradients: GradientAccumulator, step: int, steps: int,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Take a step of the discriminators, where it is time, and then one of the generator.

        `gradients` are the generator's, `distance` is its loss without the discriminators. Returns the losses
        to show, of the last batch.
        """
        drawn, shown = self.teach(mine, draw, step, steps)
        for batch, pair in zip(mine, drawn, strict=True):
            made, real = pair or draw(batch)
            loss, losses = distance(made, real)
            more, judged = self.terms(made, real, step, batch[0])
            gradients.backward(loss + more)
            shown |= {"loss": (loss + more).detach(), **losses, **judged}
        gradients.step()
        return shown

    def terms(
        self, made: Tensor, real: Tensor, step: int, number: int
    ) -> tuple[Tensor | float, dict[str, Tensor]]:
        """Return what the generator's loss of batch `number` gets on top, and its parts to show."""
        share = adversarial_share(step, self.o)
        if not share:
            return 0.0, {}
        pieces = excerpts(made, real, self.o, number)
        adversarial, features = generator_losses(self.discriminators, *pieces, precision=self.precision)
        shown = {"adversarial": adversarial.detach(), "features": features.detach()}
        return share * (self.o.adversarial_weight * adversarial + self.o.feature_weight * features), shown

    def whole_loss(self, drawn: Drawn, distance: Distance, step: int) -> Tensor:
        """Return a generator's loss with all its terms at a step, by what it made of a batch."""
        return distance(*drawn)[0] + self.terms(*drawn, step, 0)[0]


def adversarial_share(step: int, o: AdversarialOptions) -> float:
    """Return 0 until the discriminators have had their head start, then a ramp up to 1."""
    return min(1.0, max(0.0, (step - o.adversarial_from - HEAD_START) / RAMP))


def excerpts(made: Tensor, real: Tensor, o: AdversarialOptions, number: int) -> Drawn:
    """Return what the discriminators see of batch `number`: the same places of both."""
    length = min(round(o.discriminators_seconds * VOICE_RATE), made.shape[1])
    first = (number * 7919) % (made.shape[1] - length + 1)
    count, piece = o.discriminators_batch, slice(first, first + length)
    return made[:count, piece], real[:count, piece]


def _halves(judged: Sequence[Judgment]) -> tuple[list[Judgment], list[Judgment]]:
    """Return the judgments of the first half of a batch, which is real, and those of the made half."""
    split = [(score.chunk(2), [layer.chunk(2) for layer in layers]) for score, layers in judged]
    real, made = ([(score[i], [layer[i] for layer in layers]) for score, layers in split] for i in (0, 1))
    return real, made


def generator_losses(
    discriminators: nn.Module, made: Tensor, real: Tensor, *, precision: Precision
) -> tuple[Tensor, Tensor]:
    """Return the adversarial and the feature loss of the generator, without the discriminators' gradients."""
    discriminators.requires_grad_(False)
    with precision.autocast():
        with torch.no_grad():
            judged_real = discriminators(real)
        judged = discriminators(made)
        terms = adversarial_loss(judged), feature_loss(judged_real, judged)
    discriminators.requires_grad_(True)
    return terms
