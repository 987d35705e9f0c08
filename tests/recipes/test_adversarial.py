"""Discriminators learn, come in gently, and the generator hears of them without teaching them."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from recipes import adversarial
from recipes.adversarial import AdversarialOptions, AdversarialTraining, make_discriminators
from recipes.scaling import Scale, ScaleOptions

SMALL = AdversarialOptions(discriminators_width=4, adversarial_from=10)


@pytest.fixture
def sounds():
    """(B, T) noise, made, and something like speech, real."""
    generator = torch.Generator().manual_seed(0)
    made = 0.1 * torch.randn(2, 6000, generator=generator)
    hum = 0.1 * torch.sin(torch.arange(6000) * 2 * torch.pi * 150 / 24_000)
    return made, torch.stack([hum, hum.flip(0)])


def training_of(accumulate=1, **changed):
    torch.manual_seed(0)
    return AdversarialTraining(replace(SMALL, **changed), Scale.join(ScaleOptions(accumulate=accumulate)))


def teach(training, step, *batches):
    return training.teach(list(enumerate(batches)), lambda batch: batch[1], step, 1000)


def test_discriminators_learn_to_tell_noise_from_speech_and_the_generator_hears_of_it(sounds):
    training = training_of(adversarial_from=0, discriminators_rate=2e-3)
    seen = [teach(training, 400, sounds)[1]["discriminators"].item() for _ in range(20)]
    assert seen[0] > 1.5 and seen[-1] < 1.2
    made, real = sounds
    made.requires_grad_()
    loss, features = adversarial.generator_losses(
        training.discriminators, made, real, precision=training.precision
    )
    (loss + features).backward()
    assert made.grad.abs().sum() > 0 and loss.item() > 0
    weights = list(training.discriminators.parameters())
    assert all(weight.requires_grad and weight.grad is None for weight in weights)


def test_they_learn_before_the_generator_hears_of_them(sounds):
    training = training_of()
    weights = list(training.discriminators.parameters())
    before = [value.clone() for value in weights]
    assert teach(training, 9, sounds) == ([None], {})
    assert all(torch.equal(a, b) for a, b in zip(before, weights, strict=True))
    (drawn,), shown = teach(training, 10, sounds)
    assert drawn[0] is sounds[0] and shown.keys() == {"discriminators"}
    assert any(not torch.equal(a, b) for a, b in zip(before, weights, strict=True))
    assert training.terms(*sounds, 10, 10) == (0.0, {})
    more, shown = training.terms(*sounds, 500, 500)
    assert more > 0 and shown.keys() == {"adversarial", "features"}
    assert adversarial.adversarial_share(10 + adversarial.HEAD_START + adversarial.RAMP // 2, SMALL) == 0.5


def test_of_several_batches_nothing_is_held_and_their_mean_is_learned(sounds):
    drawn, shown = teach(training_of(accumulate=2), 10, sounds, sounds)
    assert drawn == [None, None] and shown["discriminators"] > 0


def test_they_see_the_same_place_of_what_is_made_and_what_is_real(sounds):
    options = AdversarialOptions(discriminators_batch=1, discriminators_seconds=0.1)
    places = torch.arange(6000.0).expand(2, -1)
    for step in (0, 1, 7):
        made, real = adversarial.excerpts(places, places + 0.5, options, step)
        assert made.shape == (1, 2400) and torch.equal(made + 0.5, real)


@pytest.mark.parametrize("kind", ["small", "hifigan"])
def test_each_judgment_has_scores_and_the_features_of_its_layers(sounds, kind):
    if kind == "hifigan":
        pytest.importorskip("speechbrain")
    judged = make_discriminators(AdversarialOptions(discriminator=kind, discriminators_width=4))(sounds[0])
    assert len(judged) == 8
    assert all(scores.dtype == torch.float32 and len(features) >= 4 for scores, features in judged)


def test_discriminators_of_a_checkpoint_that_calls_them_critics_are_read():
    saved, fresh = make_discriminators(SMALL), make_discriminators(SMALL)
    fresh.load_state_dict(
        {"critics" + name.removeprefix("members"): v for name, v in saved.state_dict().items()}
    )
    assert all(torch.equal(a, b) for a, b in zip(saved.parameters(), fresh.parameters(), strict=True))
