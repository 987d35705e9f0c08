"""How far the models of Talk are loaded, as the page asks for it."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed; pip install '.[app]'")

from fastapi import FastAPI
from fastapi.testclient import TestClient

from page.preloading import PATH, add_preloading
from voice.errors import ModelMissing
from voice.serve import Services

PATIENCE = 10.0


class German:
    languages = frozenset({"de", "en"})


def test_it_is_ready_once_all_is_loaded_and_says_what_it_understands() -> None:
    loaded, asked = threading.Event(), []

    def load(name: str, kind: str) -> German:
        asked.append((name, kind))
        assert loaded.wait(PATIENCE)
        return German()

    server = FastAPI()
    preloading = add_preloading(
        server, Services(loader=load, detector=object, turn_detector=lambda recognizer: object())
    )
    client = TestClient(server)
    assert client.get(PATH).json() == client.get(PATH).json() == {"state": "loading", "languages": []}
    loaded.set()
    preloading.join(PATIENCE)
    assert client.get(PATH).json() == {"state": "ready", "languages": ["de", "en"]}
    assert len(asked) == len(set(asked))


def test_a_model_that_is_not_there_leaves_the_page_usable() -> None:
    def missing(name: str, kind: str) -> German:
        raise ModelMissing(f"/home/me/models/{name} is not there")

    server = FastAPI()
    preloading = add_preloading(
        server, Services(loader=missing, detector=object, turn_detector=lambda recognizer: object())
    )
    preloading.begin()
    preloading.join(PATIENCE)
    assert TestClient(server).get(PATH).json() == {"state": "failed", "languages": []}
