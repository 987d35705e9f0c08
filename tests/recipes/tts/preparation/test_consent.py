"""No voice without the consent of whose it is: what counts as one, typed or spoken, and what does not."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from recipes.tts.preparation.consent import NoConsent, check_date, hear_consent, match_sentence, read_consent
from voice.types import Audio

SAID = "Anna Miller, 2026-11-30: I agree that a synthetic voice is made of my recordings"
SOUND = Audio(np.zeros(16000, np.float32), 16000)
ANNA, EVE = np.eye(2)


def test_a_typed_statement_has_a_name_a_date_and_an_agreement():
    found = read_consent(SAID)
    assert (found.person, found.date, found.kind) == ("Anna Miller", "2026-11-30", "typed")
    assert found.table() == {
        "person": "Anna Miller", "date": "2026-11-30", "kind": "typed",
        "statement": "I agree that a synthetic voice is made of my recordings",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Anna Miller, Jr.", "Linda Johnson of LJ Speech (public domain)", "Ødegaard, 3rd"]
)
def test_names_may_have_commas_and_brackets(name):
    assert read_consent(f"{name}, 2026-01-02: I agree that a voice is made").person == name


def test_a_file_states_the_same(tmp_path):
    path = tmp_path / "statement.toml"
    path.write_text("\ufeffname = 'Ännchen'\ndate = 2026-11-30\nstatement = 'I consent to it.'\n", "utf-8")
    found = read_consent(str(path))
    assert (found.person, found.date, found.statement) == ("Ännchen", "2026-11-30", "I consent to it.")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (None, "no voice is made without the consent"),
        ("", "no voice is made without the consent"),
        ("yes", "does not name a person, a date"),
        ("Anna: I agree", "does not name a person, a date"),
        ("Anna, 2026-11-31: I agree", "has no date"),
        ("Anna, 2026-11-30: it is a nice day", "does not say that the person agreed"),
        ("missing.toml", "cannot be read"),
    ],
)
def test_what_is_no_consent_says_how_to_give_one(given, complaint):
    with pytest.raises(NoConsent, match=complaint) as error:
        read_consent(given)
    assert "--consent statement.toml" in str(error.value)


@pytest.mark.parametrize(
    "statement",
    [
        "I do not agree that a voice is made of my recordings",
        "I don't agree to it",
        "I never gave my consent",
        "she has not yet agreed",
        "consent was refused",
        "her permission has been withdrawn",
        "made without their consent",
        "I disagree",
        "I refuse to allow a voice",
        "nobody asked",
    ],
)
def test_who_denies_it_has_not_agreed(statement):
    with pytest.raises(NoConsent, match="does not say that the person agreed"):
        read_consent(f"Anna, 2026-11-30: {statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "I agree that a voice is made, but not for advertising",
        "I agree; nobody else may use it without my consent",
        "licensed under CC BY 4.0, no permission is needed",
        "public domain, she has no objection",
    ],
)
def test_an_agreement_may_have_limits(statement):
    assert read_consent(f"Anna, 2026-11-30: {statement}").statement == statement


@pytest.mark.parametrize(
    "heard",
    [
        "I, Anna, do not agree that a synthetic voice is made of my recordings.",
        "I, Anna, don't agree that a synthetic voice is made of my recordings.",
        "I, Anna, agree that no synthetic voice is made of my recordings.",
        "I, Anna, agree that a synthetic voice is never made of my recordings.",
        "I, Anna, cannot agree that a synthetic voice is made of my recordings.",
    ],
)
def test_a_spoken_refusal_is_no_consent(heard):
    assert match_sentence(heard) is None


def test_nobody_agrees_in_the_future():
    later = datetime.date.today() + datetime.timedelta(days=3)
    with pytest.raises(NoConsent, match="still to come"):
        check_date(later, "it")
    assert check_date(datetime.datetime(2026, 1, 2, 3), "it") == "2026-01-02"


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("I, Anna Miller, agree that a synthetic voice is made of my recordings.", "Anna Miller"),
        (
            "Okay. I Luc O'Neil agree that a synthetic voice is made from my recordings.",
            "Luc O'Neil",
        ),
        ("I, Anna, agree that the synthetic voice is made of my recording.", "Anna"),
        ("I do not know what you want of my voice", None),
        ("I, Anna, disagree that a synthetic voice is made of my recordings.", None),
        ("agree that a synthetic voice is made of my recordings", None),
        ("", None),
    ],
)
def test_a_spoken_sentence_is_known_by_its_words(heard, name):
    assert match_sentence(heard) == name


def hear(words, speaker, tmp_path):
    path = tmp_path / "statement.wav"
    path.write_bytes(b"RIFF")
    return hear_consent(
        path, SOUND, [Audio(SOUND.samples + 1, 16000)] * 2, lambda sound: words,
        lambda sound: ANNA if sound.samples[0] else speaker, datetime.date(2026, 11, 30),
    )  # fmt: skip


def test_who_says_it_has_to_be_whose_recordings_they_are(tmp_path):
    words = "I, Anna Miller, agree that a synthetic voice is made of my recordings."
    found = hear(words, ANNA, tmp_path)
    assert (found.person, found.kind, found.likeness) == ("Anna Miller", "spoken", 1.0)
    assert len(found.sha256) == 64 and found.statement == words
    with pytest.raises(NoConsent, match="does not sound like the recordings"):
        hear(words, EVE, tmp_path)
    with pytest.raises(NoConsent, match="have the person say"):
        hear("Good morning.", ANNA, tmp_path)
