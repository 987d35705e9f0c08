from __future__ import annotations

import pytest

from voice.models import catalog, fetch
from voice.models.fetch import Index


def test_the_catalog_itself_is_whole():
    for name, found in catalog.entries().items():
        assert found.card.name == name and found.card.license and found.card.description
        for source in found.sources:
            if isinstance(source, Index):
                assert source.members.keys() == found.card.files.keys()
                assert all(len(wheel.sha256) == 64 for wheel in source.wheels)
        assert all(len(value) == 64 for value in found.card.files.values())


def test_our_own_models_are_what_their_cards_say_and_small():
    for found in catalog.entries().values():
        if catalog.PRETRAINED in found.home.parents:
            assert found.home.name == found.name and found.size < 30_000_000
            fetch.verify(found.home, found.card.files)


def test_the_old_name_of_the_bytes_of_an_interrupted_fetch_warns():
    entry = next(iter(catalog.entries().values()))
    with pytest.warns(DeprecationWarning, match="partial_bytes"):
        assert entry.begun == entry.partial_bytes
