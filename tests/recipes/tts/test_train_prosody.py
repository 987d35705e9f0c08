"""Prosody and curves: they learn, resume exactly, say the same every time, vary as much as they are told."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")


from fakes.killing import first_difference
from fakes.processes import assert_two_processes_learn_what_one_learns

from recipes.scaling import ScaleOptions
from recipes.tts import corpus, train_prosody, trained
from recipes.tts.corpus import Utterance
from recipes.tts.model import Shape, SpeakingModel
from recipes.tts.sounds import Size, SoundModel
from recipes.tts.train_prosody import Setup
from voice.errors import VoiceError

SHAPE = Shape(speakers=("ann",), width=32, dropout=0.0, encoder=1, decoder=1)


def held(utterances):
    """Return utterances as a file of features holds them."""
    return corpus.Utterances.of([corpus.pack(utterances)])


def utterance(seed):
    rng = np.random.default_rng(seed)
    tokens = np.concatenate([[0], rng.integers(15, 60, 12), [0]])
    durations = rng.integers(2, 9, len(tokens))
    frames = int(durations.sum())
    f0 = (180 + 40 * np.sin(np.arange(frames) / 7 + seed)).astype(np.float32)
    loud = rng.normal(-2, 1, frames).astype(np.float32)
    return Utterance(str(seed), "ann", tokens, durations, f0, loud)


@pytest.fixture
def features(tmp_path):
    corpus.write(tmp_path / "ann.npz", [utterance(seed) for seed in range(6)])
    return tmp_path / "ann.npz"


def train(features, out, **chosen):
    given = {"steps": 12, "batch_tokens": 60, "save_every": 6, "threads": 1} | chosen
    train_prosody.main(train_prosody.Options(features=(features,), dev=(features,), out=out, **given))
    return torch.load(out / "last.pt", weights_only=False)


def test_overfits_one_batch():
    some = [utterance(seed) for seed in range(3)]
    batch = Setup(SHAPE, corpus.ranges(held(some))).batch(some, torch.device("cpu"))
    torch.manual_seed(0)
    model, seen = SpeakingModel(SHAPE), []
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(60):
        parts = model.loss(batch)
        loss = sum(parts.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.5 * seen[0]


def test_resumed_equals_uninterrupted_and_the_best_weights_are_kept(features, tmp_path, monkeypatch):
    whole = train(features, tmp_path / "whole")
    monkeypatch.setattr(train_prosody, "Deadline", lambda minutes: _Stop(6))
    train(features, tmp_path / "parts")
    monkeypatch.undo()
    parts = train(features, tmp_path / "parts")
    assert first_difference(whole["parts"], parts["parts"]) is None
    assert whole["parts"]["best"]["weights"].keys() == whole["parts"]["ema"]["weights"].keys()


class _Stop:
    """A deadline that passes after so many looks at it."""

    elapsed, seconds = 0.0, None

    def __init__(self, looks):
        self.looks = looks

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def passed(self):
        self.looks -= 1
        return self.looks < 0


def test_says_the_same_every_time_and_without_noise_what_the_flow_makes_of_none():
    torch.manual_seed(1)
    model = SpeakingModel(SHAPE).prosody.eval()
    tokens, speaker = torch.randint(15, 60, (1, 30)), torch.tensor([0])
    mask = torch.ones(1, 30, 1)
    with torch.no_grad():
        calm = model.sample(tokens, speaker, mask)
        trained.set_noise(model, (0.0, 0.9, 0.0))
        lively, again = (model.sample(tokens, speaker, mask) for _ in range(2))
    assert torch.equal(lively, again) and lively[..., 1].std() > calm[..., 1].std()


def test_runs_with_different_speakers_are_not_joined(features, tmp_path):
    train(features, tmp_path / "prosody")
    size = Size(("eve",), text=8, width=8, hidden=8, blocks=1)
    parts = {"about": vars(size), "ema": {"weights": SoundModel(size).state_dict()}}
    (tmp_path / "eve").mkdir()
    torch.save({"step": 0, "parts": parts}, tmp_path / "eve" / "last.pt")
    with pytest.raises(VoiceError, match="train both on the same features"):
        trained.load_run(tmp_path / "eve", tmp_path / "prosody")


def test_each_network_keeps_the_weights_that_the_dev_set_liked_best():
    model, best = SpeakingModel(SHAPE), train_prosody.Best()
    ema = train_prosody.Ema(model)
    found = {"flow": 1.0, "curve": 1.0, "loudness": 1.0, "voicing": 1.0}
    best.consider(found, ema)
    for value in ema.weights.values():
        value += 1
    best.consider(found | {"flow": 0.5, "curve": 2.0}, ema)
    name = {part: f"{part}.symbols.weight" for part in ("prosody", "curves")}
    assert torch.equal(best.weights[name["prosody"]], ema.weights[name["prosody"]])
    assert torch.equal(best.weights[name["curves"]], model.state_dict()[name["curves"]])


def test_two_processes_learn_what_one_learns(features, tmp_path):
    options = train_prosody.Options(
        features=(features,), dev=(features,), steps=6, batch_tokens=30, save_every=6, threads=1
    )
    assert_two_processes_learn_what_one_learns(
        "recipes.tts.train_prosody", options, tmp_path, weights="model"
    )


def test_a_run_that_gets_no_better_stops_and_does_not_go_on_until_it_may(features, tmp_path):
    def patient(checks):
        return {"save_every": 1, "scale": ScaleOptions(patience=checks)}

    run = tmp_path / "run"
    train(features, run, rate=10.0, **patient(2))  # so high a rate that it gets worse
    step = torch.load(run / "last.pt", weights_only=True)["step"]
    assert step < 12
    assert train(features, run, rate=10.0, **patient(2))["parts"]["kept"]["in_vain"] == 2
    assert torch.load(run / "last.pt", weights_only=True)["step"] == step
    train(features, run, rate=10.0, **patient(20))
    assert torch.load(run / "last.pt", weights_only=True)["step"] == 12
