from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from fakes.killing import assert_resumed_equals_uninterrupted

from recipes.asr import model as whisper
from recipes.asr import smoke
from recipes.asr.examples import IGNORED
from recipes.asr.model import learning_weights
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning import train
from recipes.asr.tuning.base_answers import BaseAnswers, BaseOptions
from recipes.asr.tuning.encoder import add_low_rank, lower_states, mask, upper_encoded
from recipes.asr.tuning.examples import collate, general_examples, set_examples
from recipes.asr.tuning.objective import ObjectiveOptions, objective
from recipes.asr.tuning.scoring import scale_additions
from recipes.asr.windows import select_any
from voice.errors import ManifestError
from voice.manifest import read_manifest, write_manifest
from voice.models.ct2 import write_model

CHECKOUT = Path(__file__).parents[4]
TINY, DEV = str(CHECKOUT / "data/tiny/train.jsonl"), str(CHECKOUT / "data/tiny/dev.jsonl")


def options(out: Path, **changed) -> train.Options:
    whole = train.Options(
        manifest=(f"{TINY}:8",), dev=(f"{DEV}:3",), general=(f"{TINY}:-3",), general_dev=(f"{DEV}:-2",),
        out=out, smoke=True, steps=4, threads=1,
    )  # fmt: skip
    return dataclasses.replace(whole, **changed)


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> BaseAnswers:
    out = tmp_path_factory.mktemp("base")
    folder = smoke.base(out)
    asked = BaseOptions(folder, "utterance", "en", 1, out / "answers")
    return BaseAnswers(asked, TrainingTokenizer.open(folder, "en"), lambda line: None)


def test_resumed_equals_uninterrupted(tmp_path):
    def run(out: Path) -> None:
        train.main(options(out, answers=tmp_path / "answers", save_every=1))

    assert_resumed_equals_uninterrupted(run, tmp_path, saves=2)


def test_a_run_always_has_a_best_and_says_what_was_planned(tmp_path):
    told: list[str] = []
    train.main(options(tmp_path / "run", minutes=0.0), told.append)
    saved = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert saved["step"] == 0, "there was no time for a step, and the base is the best so far"
    assert {"loss", "general", "wer", "wer/general"} <= set(saved["scores"])


def test_overfits_one_batch(answers):
    found = set_examples(select_any(f"{TINY}:3"), answers, trusts=True)
    lengths = {each.heard.seconds for each in found.examples}
    some = [each for each in found.examples if each.heard.seconds == min(lengths)]
    batch = collate(some, answers.tokenizer)
    torch.manual_seed(0)
    model = whisper.load(answers.options.folder)
    add_low_rank(model, 32, 1)
    optimizer = torch.optim.AdamW(learning_weights(model).values(), lr=2e-2)
    losses = []
    for _ in range(60):
        loss = objective(model, batch, answers.tokenizer, 1, ObjectiveOptions(base_share=0.0))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.4, "the tied embeddings are frozen and small, so no more is possible"


def test_the_base_itself_has_no_divergence(answers):
    old = general_examples(select_any(f"{TINY}:4"), answers)
    model = whisper.load(answers.options.folder)
    lengths = {each.heard.seconds for each in old}
    some = [each for each in old if each.heard.seconds == min(lengths)]
    found = objective(model, collate(some, answers.tokenizer), answers.tokenizer, 1, ObjectiveOptions())
    assert abs(found["kl"].item()) < 1e-3 and found["loss"].item() == pytest.approx(found["kl"].item())


def test_the_encoder_in_two_parts_is_the_encoder(answers):
    model = whisper.load(answers.options.folder)
    mel = torch.randn(2, 80, 200)
    with torch.no_grad():
        whole = whisper.encode(model, mel)
        for top in (0, 1):
            assert torch.allclose(upper_encoded(model, lower_states(model, mel, top), top), whole, atol=1e-5)


def test_only_the_decoder_and_the_upper_layers_learn(answers):
    model = whisper.load(answers.options.folder)
    add_low_rank(model, 2, 0)
    names = learning_weights(model).keys()
    assert names and not [name for name in names if "encoder/layers" in name]


def test_a_share_of_what_was_learned_is_taken_and_given_back(answers):
    model = whisper.load(answers.options.folder)
    add_low_rank(model, 2, 1)
    for layer in whisper.low_ranks(model).values():
        torch.nn.init.ones_(layer.lora_B["default"].weight)
    up = next(iter(whisper.low_ranks(model).values())).lora_B["default"].weight
    with scale_additions(model, 0.25):
        assert (up == 0.25).all()
    assert (up == 1).all()


def test_masks_hide_a_tenth_at_most_and_follow_from_their_seed():
    states = torch.randn(3, 100, 8)
    first, again = (mask(states, torch.Generator().manual_seed(5), mel=False) for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first, states)
    assert ((first != states).any(-1).sum(1) <= 20).all()


def test_transcripts_in_capitals_are_rewritten_and_only_words_are_learned(answers, tmp_path):
    clips = [
        dataclasses.replace(c, text=(c.text or "").upper().rstrip(".?!"))
        for c in read_manifest(Path(TINY))[:6]
    ]
    write_manifest(tmp_path / "shouted.jsonl", clips)
    heard = answers.hear  # a random model hears nothing: here it hears what is said

    def hear(every, sounds):
        told = {clip.id: clip.text for clip in read_manifest(Path(TINY))}
        return [
            dataclasses.replace(
                each, hypothesis=" ".join(told[sounds.clips[i].id] for i in each.window.clips)
            )
            for each in heard(every, sounds)
        ]

    answers.hear = hear
    try:
        found = set_examples(read_manifest(tmp_path / "shouted.jsonl"), answers)
    finally:
        del answers.hear
    originals = {clip.text for clip in read_manifest(Path(TINY))}
    assert {each.text for each in found.examples if len(each.heard.window.clips) == 1} <= originals
    assert any("→" in line for line in found.describe())


def test_transcripts_of_other_recordings_are_refused(answers, tmp_path):
    clips = [
        dataclasses.replace(c, text="Nothing of this is said at all.") for c in read_manifest(Path(TINY))[:6]
    ]
    with pytest.raises(ManifestError, match="seem to belong to other recordings"):
        set_examples(clips, answers)


def test_a_recognizer_of_english_alone_predicts_no_language(answers):
    found = set_examples(select_any(f"{TINY}:1"), answers, alone=True)
    english = dataclasses.replace(answers.tokenizer, is_multilingual=False)
    both = [collate(list(found.examples), each) for each in (answers.tokenizer, english)]
    assert (both[1].targets[:, 0] == IGNORED).all() and not (both[0].targets[:, 0] == IGNORED).any()
    assert len(both[0].hidden) == len(both[1].hidden) + 1


def test_copies_of_a_file_share_answers_and_files_that_change_are_heard_anew(answers, tmp_path):
    clips = read_manifest(Path(TINY))[:1]
    found = []
    for folder, more in (("first", b""), ("second", b""), ("changed", b"LIST\0\0\0\0")):
        copy = tmp_path / folder / clips[0].audio.name
        copy.parent.mkdir()
        copy.write_bytes(clips[0].audio.read_bytes() + more)
        clip = dataclasses.replace(clips[0], audio=copy)
        found.append(set_examples([clip], answers, alone=True).examples[0].heard.states)
    assert found[0] == found[1] != found[2]
    assert np.array_equal(np.load(found[0]), np.load(found[2]))


def test_in_the_full_context_every_second_clip_is_learned_with_its_times(answers, monkeypatch):
    asked = dataclasses.replace(answers.options, context="full", top=0)
    tokenizer = dataclasses.replace(answers.tokenizer, has_times=True)
    full = BaseAnswers(asked, tokenizer, lambda line: None)
    monkeypatch.setattr(full, "hidden_files", lambda heard, inputs: [each.states for each in heard])
    plain, timed = set_examples(select_any(f"{TINY}:2"), full, alone=True).examples
    assert plain.inputs[3] == tokenizer.prompt[-1] and timed.inputs[3] == tokenizer.time(0.0)
    assert timed.tokens[-2] == timed.inputs[-1] == tokenizer.time(timed.heard.window.duration)
    assert timed.heard.load_states().shape == (1500, 32), "what leaves the lower layers, of 30 s"
    assert not answers.tokenizer.has_times, "the tiny one has no tokens of times"


def test_a_base_of_128_bands_is_heard(tmp_path):
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    folder = smoke.base(tmp_path)
    before = whisper.load(folder).config
    config = WhisperConfig(**{**before.to_diff_dict(), "num_mel_bins": 128})
    write_model(folder / "model.bin", whisper.to_ct2(WhisperForConditionalGeneration(config).eval()))
    asked = BaseOptions(folder, "utterance", "en", 1, tmp_path / "answers")
    wide = BaseAnswers(asked, TrainingTokenizer.open(folder, "en"), lambda line: None)
    found = set_examples(select_any(f"{TINY}:1"), wide, alone=True).examples
    assert found[0].heard.load_states().shape[0] == 128
