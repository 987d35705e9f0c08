from __future__ import annotations

import threading
from itertools import islice

import numpy as np
import pytest

from data.batching import Share, batches_from, bucket_batches, pad, plan_epoch, prefetch, rng_for
from voice.errors import VoiceError

DURATIONS = np.random.default_rng(0).uniform(0.5, 15, 211).tolist()


def test_every_index_is_in_an_epoch_exactly_once():
    batches = bucket_batches(DURATIONS, 40, seed=1, epoch=0)
    assert sorted(index for batch in batches for index in batch) == list(range(len(DURATIONS)))


def test_no_batch_exceeds_its_padded_seconds_or_its_count():
    for epoch in range(5):
        for batch in bucket_batches(DURATIONS, 40, seed=1, epoch=epoch, most=8):
            assert max(DURATIONS[i] for i in batch) * len(batch) <= 40
            assert len(batch) <= 8


def test_little_is_padding():
    batches = bucket_batches(DURATIONS, 60, seed=1, epoch=0)
    padded = sum(max(DURATIONS[i] for i in batch) * len(batch) for batch in batches)
    assert padded < 1.15 * sum(DURATIONS)


def test_order_follows_from_seed_and_epoch_alone():
    again = [bucket_batches(DURATIONS, 40, seed=3, epoch=2) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != bucket_batches(DURATIONS, 40, seed=3, epoch=3)
    assert again[0] != bucket_batches(DURATIONS, 40, seed=4, epoch=2)


def test_epochs_put_other_clips_together():
    first, second = ({frozenset(b) for b in bucket_batches(DURATIONS, 40, seed=1, epoch=e)} for e in (0, 1))
    assert len(first & second) < len(first) / 2


def test_a_clip_longer_than_the_budget_is_an_error_that_names_it():
    with pytest.raises(VoiceError, match="clip 1 lasts 50.0 s"):
        bucket_batches([3.0, 50.0], 40, seed=0, epoch=0)


def test_no_clips_and_clips_without_duration_are_errors():
    with pytest.raises(VoiceError, match="no clips"):
        bucket_batches([], 40, seed=0, epoch=0)
    with pytest.raises(VoiceError, match="clip 1 has no duration"):
        bucket_batches([1.0, 0.0], 40, seed=0, epoch=0)


@pytest.mark.parametrize("step", [0, 1, 17, 100, 230])
def test_resuming_at_any_step_equals_continuing(step):
    continued = list(islice(batches_from(0, DURATIONS, 40, seed=5), step, step + 60))
    resumed = list(islice(batches_from(step, DURATIONS, 40, seed=5), 60))
    assert resumed == continued
    assert [number for number, _ in resumed] == list(range(step, step + 60))


def test_randomness_follows_from_its_keys():
    assert rng_for(1, 2, 3).random() == rng_for(1, 2, 3).random()
    draws = {rng_for(*keys).random() for keys in [(1, 2, 3), (1, 3, 2), (1, 2), (1,), (1, 2, 3, 0), (1, 0)]}
    assert len(draws) == 6


def test_prefetch_keeps_the_order_with_several_workers():
    waits = rng_for(0).uniform(0, 0.003, 40)

    def slowly(index: int) -> int:
        threading.Event().wait(waits[index])
        return index * index

    assert list(prefetch(range(40), slowly, workers=4, ahead=8)) == [i * i for i in range(40)]


def test_prefetch_raises_what_the_function_raises_when_its_turn_comes():
    got = []
    with pytest.raises(ZeroDivisionError):
        for value in prefetch([2, 1, 0, 1], lambda x: 2 // x):
            got.append(value)
    assert got == [1, 2]


def test_prefetch_of_an_endless_source_runs_only_so_far_ahead_and_closes():
    asked = []

    def endless():
        for index in range(10**9):
            asked.append(index)
            yield index

    before = threading.active_count()
    results = prefetch(endless(), lambda x: x, workers=2, ahead=3)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    results.close()
    assert len(asked) <= 5 + 3
    assert threading.active_count() == before


def test_pad_stacks_waves_and_features_of_either_orientation():
    waves, lengths = pad([np.ones(3, np.float32), np.ones(5, np.float32)])
    assert waves.shape == (2, 5) and waves.dtype == np.float32 and waves[0].tolist() == [1, 1, 1, 0, 0]
    assert lengths.tolist() == [3, 5]
    mels, _ = pad([np.ones((4, 3)), np.ones((4, 2))], value=-11.5)
    assert mels.shape == (2, 4, 3) and (mels[1, :, 2] == -11.5).all()
    firsts, _ = pad([np.ones((3, 4)), np.ones((2, 4))], axis=0)
    assert firsts.shape == (2, 3, 4) and (firsts[1, 2] == 0).all()
    assert pad([np.array([1, 2]), np.array([3])])[0].dtype.kind == "i"


@pytest.mark.parametrize("first", [0, 5])
def test_processes_cover_each_batch_once_and_a_step_is_the_same_however_it_is_shared(first):
    whole = list(islice(batches_from(first * 6, DURATIONS, 40, seed=5), 60))
    steps = []
    for processes, accumulate in ((1, 6), (2, 3), (3, 2), (6, 1)):
        shares = [Share(rank, processes, accumulate) for rank in range(processes)]
        taken = [
            list(islice(s.by_step(batches_from(first * 6, DURATIONS, 40, seed=5, share=s)), 10))
            for s in shares
        ]
        assert sorted(batch for mine in taken for step in mine for batch in step) == whole
        steps.append([sorted(batch for mine in step for batch in mine) for step in zip(*taken, strict=True)])
    assert all(each == steps[0] for each in steps)
    assert [s for s, _ in steps[0][0]] == list(range(first * 6, first * 6 + 6))


def test_the_numbers_of_a_share_are_those_of_its_batches():
    share = Share(1, 3, 2)
    assert list(islice(share.numbers(4), 4)) == [25, 28, 31, 34]
    assert all(map(share.takes, islice(share.numbers(4), 9)))


def test_with_shards_an_epoch_still_has_every_clip_once_and_reads_few_shards_at_a_time():
    sections = np.repeat(np.arange(40), 6)[:211]
    first, second = (plan_epoch(DURATIONS, 40, seed=1, epoch=epoch, sections=sections) for epoch in (0, 1))
    batches = [first.batch(number) for number in range(len(first))]
    assert sorted(index for batch in batches for index in batch) == list(range(211))
    seen = [sections[batch] for batch in batches]
    open_at_once = max(len(set(np.concatenate(seen[i : i + 2]).tolist())) for i in range(len(seen) - 1))
    assert len(set(np.concatenate(seen[:3]).tolist())) <= 8 and open_at_once <= 16
    assert second.order.tolist() != first.order.tolist()


def test_resuming_with_shards_equals_continuing():
    sections = np.repeat(np.arange(40), 6)[:211]
    continued = list(islice(batches_from(0, DURATIONS, 40, seed=5, sections=sections), 100))
    assert list(islice(batches_from(70, DURATIONS, 40, seed=5, sections=sections), 30)) == continued[70:]
