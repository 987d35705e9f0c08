from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data import augmentation as aug
from data.batching import rng_for

RATE = 16000


def tone(hertz: float, seconds: float = 1.0, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def clicks(*times: float, seconds: float = 1.0) -> np.ndarray:
    samples = np.zeros(round(seconds * RATE), np.float32)
    samples[[round(time * RATE) for time in times]] = 0.5
    return samples


def decibels(power: float) -> float:
    return 10 * float(np.log10(power))


def band_power(samples: np.ndarray, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(spectrum[(hertz >= low) & (hertz < high)].sum())


@pytest.fixture
def speech() -> np.ndarray:
    envelope = np.clip(np.sin(2 * np.pi * 1.5 * np.arange(2 * RATE) / RATE), 0, 1)
    return (rng_for(0).normal(0, 0.1, 2 * RATE) * envelope).clip(-1, 1).astype(np.float32)


@pytest.fixture
def augment() -> aug.Augment:
    noises = [rng_for(1, i).normal(0, 0.1, n).astype(np.float32) for i, n in enumerate((3000, 50000))]
    decay = np.exp(-np.arange(4000) / 800)
    rooms = [(rng_for(2).normal(0, 0.1, 4000) * decay).astype(np.float32)]
    return aug.Augment(RATE, noises, rooms)


@pytest.mark.parametrize("length", [500, 16000, 90000])
@pytest.mark.parametrize("snr", [0.0, 10.0, 25.0])
def test_noise_has_the_ratio_asked_for(length, snr):
    noise = rng_for(3).normal(0, 0.02, length).astype(np.float32)
    noisy = aug.with_noise(tone(440), noise, snr, rng_for(4))
    added = np.mean(np.square(noisy - tone(440)))
    assert decibels(np.mean(np.square(tone(440))) / added) == pytest.approx(snr, abs=0.2)


def test_pauses_do_not_make_speech_seem_quiet():
    padded = np.pad(tone(440), 3 * RATE)
    assert aug.speech_power(padded) == pytest.approx(aug.speech_power(tone(440)), rel=0.05)


def test_silence_stays_silent_in_noise():
    assert not aug.with_noise(np.zeros(800, np.float32), tone(50), 10, rng_for(0)).any()


def test_a_room_leaves_words_where_they_were_and_as_loud():
    response = np.zeros(3000, np.float32)
    response[700] = 1.0  # the direct path
    response[700 + 1600] = 0.4  # an echo 0.1 s later
    wet = aug.in_room(clicks(0.2, 0.6), response)
    loudest = np.sort(np.argsort(np.abs(wet))[-2:])
    assert loudest.tolist() == [round(0.2 * RATE), round(0.6 * RATE)]
    assert wet[round(0.3 * RATE)] == pytest.approx(0.4 * wet[round(0.2 * RATE)], rel=0.01)
    noise = rng_for(5).normal(0, 0.1, RATE).astype(np.float32)
    louder = decibels(aug.speech_power(aug.in_room(noise, response)) / aug.speech_power(noise))
    assert louder == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("speed", [0.9, 1.0, 1.1])
def test_speed_scales_length_and_pitch(speed):
    changed = aug.at_speed(tone(1000), speed)
    assert len(changed) == pytest.approx(RATE / speed, abs=2)
    peak = np.fft.rfftfreq(len(changed), 1 / RATE)[np.abs(np.fft.rfft(changed)).argmax()]
    assert peak == pytest.approx(1000 * speed, abs=2)


def test_gain_stops_at_full_scale():
    assert np.abs(aug.with_gain(tone(440), 6)).max() == pytest.approx(0.6, rel=0.01)
    assert np.abs(aug.with_gain(tone(440), 60)).max() <= 1.0


def test_band_limits_cut_what_lies_outside_and_shift_nothing():
    limited = aug.band_limited(tone(200) + tone(1000) + tone(5000), RATE, 500, 3000)
    np.testing.assert_allclose(limited[1600:-1600], tone(1000)[1600:-1600], atol=0.01)


def test_a_telephone_keeps_its_band_alone(speech):
    heard = aug.on_telephone(speech, RATE)
    assert len(heard) == len(speech)
    assert decibels(band_power(heard, 3800, 8000) / band_power(heard, 300, 3400)) < -30
    assert decibels(band_power(heard, 400, 3200) / band_power(speech, 400, 3200)) == pytest.approx(0, abs=0.5)


def test_mu_law_is_close_and_coarse(speech):
    coded = aug.mu_law(speech)
    assert len(np.unique(coded)) <= 255
    assert decibels(np.mean(np.square(speech)) / np.mean(np.square(coded - speech))) > 30


@pytest.mark.parametrize("compression", [0.8, 1.0])
def test_opus_keeps_length_and_time(compression):
    coded = aug.opus_coded(np.pad(tone(500, 0.3), (4000, 7200)), RATE, compression)
    assert len(coded) == 16000
    heard = np.flatnonzero(np.abs(coded) > 0.1)
    assert heard[0] == pytest.approx(4000, abs=160) and heard[-1] == pytest.approx(8800, abs=160)


def test_clipping_flattens_the_peaks_and_keeps_the_peak():
    overdriven = aug.overdrive(tone(440), 0.5)
    assert np.abs(overdriven).max() == pytest.approx(0.3, rel=0.01)
    assert np.mean(np.abs(overdriven) > 0.299) > 0.5


def test_the_same_key_gives_the_same_sound(augment, speech):
    for key in range(30):
        np.testing.assert_array_equal(augment(speech, rng_for(1, key)), augment(speech, rng_for(1, key)))


def test_all_changes_together_stay_in_range(augment, speech):
    always = replace(augment, speed=1.0, room=1.0, noise=1.0, clip=1.0, gain=1.0, gains=(20.0, 30.0))
    lines = [dict(telephone=1.0), dict(telephone=0.0, band=1.0), dict(telephone=0.0, band=0.0, codec=1.0)]
    for key, line in enumerate(lines):
        changed = replace(always, **line)(speech, rng_for(2, key))
        assert changed.dtype == np.float32 and np.isfinite(changed).all()
        assert np.abs(changed).max() <= 1.0 and 0.9 < len(speech) / len(changed) < 1.1


def test_nothing_asked_for_changes_nothing(augment, speech):
    never = replace(augment, speed=0, room=0, noise=0, clip=0, telephone=0, band=0, codec=0, gain=0)
    np.testing.assert_array_equal(never(speech, rng_for(3)), speech)


def test_the_corpora_give_train_noises_and_rooms_only(corpora, speech):
    augment = aug.augment_from(corpora, RATE)
    used = [clip.audio for sounds in (augment.noises, augment.rooms) for clip in sounds.clips]
    assert len(used) > 50 and all(path.parent.name == "train" for path in used)
    loud = replace(augment, room=1.0, noise=1.0)
    assert np.isfinite(loud(speech, rng_for(4))).all()
