from __future__ import annotations

import random

import pytest

from data.splitting import Key, Keys, plan_splits, sentence_key


def keys(speakers: int, each: int, shared: int = 0, unknown: bool = False) -> list[Key]:
    """Rows of some speakers, `each` of everyone; the first `shared` sentences are the same for all."""
    return [
        Key(
            None if unknown else f"s{speaker}",
            sentence_key(f"sentence {n if n < shared else f'{speaker}-{n}'}", ""),
            2.0,
        )
        for speaker in range(speakers)
        for n in range(each)
    ]


def parts(rows: list[Key], splits, value) -> dict[str, set]:
    found: dict[str, set] = {"train": set(), "dev": set(), "test": set()}
    for key, split in zip(rows, splits, strict=True):
        if split:
            found[split].add(value(key))
    return found


def overlap(found: dict[str, set]) -> set:
    return found["train"] & found["dev"] | found["train"] & found["test"] | found["dev"] & found["test"]


def test_many_speakers_share_no_speaker_and_no_sentence():
    rows = keys(40, 25, shared=1)
    plan = plan_splits(rows)
    assert plan.apart == "both" and 0 < plan.left_out <= 40
    assert not overlap(parts(rows, plan.splits, lambda key: key.speaker))
    assert not overlap(parts(rows, plan.splits, lambda key: key.sentence))
    shares = [sum(split == name for split in plan.splits) / len(rows) for name in ("dev", "test")]
    assert all(0.04 < share < 0.11 for share in shares)
    assert "rows are left out" in plan.remarks[0]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (keys(3, 100), "of 3 too few can be held out"),
        (keys(40, 25, unknown=True), "nobody tells who speaks"),
        (keys(40, 20, shared=20), "many speakers say the same"),
    ],
)
def test_where_both_is_not_possible_sentences_are_apart_and_it_is_said_why(rows, why):
    plan = plan_splits(rows)
    assert plan.apart == "sentences" and why in plan.remarks[0] and plan.left_out == 0
    assert not overlap(parts(rows, plan.splits, lambda key: key.sentence))


def test_what_is_asked_for_is_done():
    rows = keys(12, 20, shared=20)
    plan = plan_splits(rows, "speakers")
    assert not overlap(parts(rows, plan.splits, lambda key: key.speaker)) and plan.left_out == 0
    plan = plan_splits(rows, "both")
    assert not overlap(parts(rows, plan.splits, lambda key: key.sentence)) and plan.left_out > 0


def test_the_split_does_not_depend_on_the_order_of_the_rows():
    rows = keys(20, 20)
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    plan, shuffled = plan_splits(rows), plan_splits([rows[n] for n in order])
    assert [plan.splits[n] for n in order] == list(shuffled.splits)


@pytest.mark.parametrize(("count", "held"), [(2, 0), (3, 1), (40, 4), (174, 17), (1000, 50), (13000, 100)])
def test_small_data_sets_hold_out_a_larger_share(count, held):
    plan = plan_splits(keys(1, count))
    assert plan.splits.count("dev") == plan.splits.count("test") == held


def test_published_splits_stay():
    rows = [Key("a", n, 1.0, "train") for n in range(40)] + [Key("a", 99, 1.0, "test")]
    plan = plan_splits(rows)
    assert plan.splits[-1] == "test" and plan.splits.count("dev") == 4 and plan.splits.count("test") == 1
    assert plan_splits([Key("a", n, 1.0, "dev") for n in range(9)]).splits == ("dev",) * 9


def test_sentences_are_the_same_whatever_their_case_and_marks():
    assert sentence_key("Well, then!", "a") == sentence_key("WELL THEN", "b")
    assert sentence_key(None, "a") != sentence_key(None, "b")


def test_keys_in_columns_are_the_keys_and_are_split_alike():
    rows = [
        Key(("ann", None, f"speaker {number % 23}")[number % 3], 2**64 - 1 - number // 2, number / 7, split)
        for number in range(90)
        for split in ((None, "test")[number == 5],)
    ]
    columns = Keys()
    for row in rows:
        columns.append(row)
    assert list(columns) == rows and columns[7] == rows[7] and columns[-2:] == rows[-2:]
    assert list(columns.select([3, 1])) == [rows[3], rows[1]] and len(columns) == 90
    for apart in ("auto", "both", "speakers", "sentences"):
        assert plan_splits(columns, apart) == plan_splits(rows, apart)
