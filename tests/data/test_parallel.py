"""Work in several processes comes back in its order, and each process makes ready for it."""

from __future__ import annotations

import operator
import os
from itertools import count, islice

from data.parallel import in_order


def test_results_come_in_the_order_of_the_items():
    assert list(in_order(range(20), operator.neg, 2, few=3)) == [-number for number in range(20)]


def test_each_process_makes_ready_once_and_this_one_too_where_items_are_few(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    names = [f"{number}.txt" for number in range(5)]
    found = list(in_order(names, os.path.abspath, 2, few=2, begin=os.chdir, given=(tmp_path,)))
    assert found == [str(tmp_path / name) for name in names]
    assert os.getcwd() != str(tmp_path)
    assert list(in_order(names[:1], os.path.abspath, 2, begin=os.chdir, given=(tmp_path,))) == found[:1]


def test_an_endless_source_is_taken_only_as_far_as_it_is_asked_for():
    found = in_order(count(), operator.neg, 1, few=2)
    assert list(islice(found, 3)) == [0, -1, -2]
