"""Sounds that should not stop the agent, made here: coughs, claps, typing, music."""

from __future__ import annotations

import numpy as np

RATE = 16_000


def cough(draw: np.random.Generator) -> np.ndarray:
    """Return one to three bursts of throaty noise, each with a sharp beginning and a voiced end."""
    bursts = []
    for _ in range(draw.integers(1, 4)):
        length = int(RATE * draw.uniform(0.12, 0.3))
        time = np.arange(length) / RATE
        noise = _resonant(draw.standard_normal(length), (600, 1400, 2800), draw)
        voice = np.sign(np.sin(2 * np.pi * draw.uniform(90, 180) * time)) * np.linspace(0, 0.4, length)
        burst = (noise / np.abs(noise).max() + 0.3 * voice) * np.exp(-time / draw.uniform(0.04, 0.09))
        bursts += [burst, np.zeros(int(RATE * draw.uniform(0.08, 0.2)))]
    return _peak(np.concatenate(bursts), draw.uniform(0.2, 0.6))


def clap(draw: np.random.Generator) -> np.ndarray:
    """Return one to four claps in a small room."""
    claps = []
    for _ in range(draw.integers(1, 5)):
        length = int(RATE * draw.uniform(0.15, 0.4))
        decay = np.exp(-np.arange(length) / RATE / draw.uniform(0.008, 0.04))
        claps.append(_resonant(draw.standard_normal(length), (1100, 2300), draw) * decay)
    return _peak(np.concatenate(claps), draw.uniform(0.3, 0.9))


def typing(draw: np.random.Generator) -> np.ndarray:
    """Return three seconds at a keyboard."""
    sound = np.zeros(3 * RATE)
    at = 0.0
    while (at := at + draw.exponential(0.13) + 0.04) < 2.9:
        length = int(RATE * draw.uniform(0.01, 0.03))
        click = draw.standard_normal(length) * np.exp(-np.arange(length) / RATE / 0.004)
        sound[int(at * RATE) :][:length] += draw.uniform(0.3, 1) * click
    return _peak(sound, draw.uniform(0.05, 0.25))


def music(draw: np.random.Generator) -> np.ndarray:
    """Return three seconds of plucked chords over a bass."""
    sound = np.zeros(3 * RATE)
    root = 110 * 2 ** (draw.integers(12) / 12)
    for beat, at in enumerate(np.arange(0, 2.8, draw.uniform(0.25, 0.45))):
        chord = (0, 4, 7) if beat // 4 % 2 == 0 else (5, 9, 12)
        for step in (*chord, -12):
            sound[int(at * RATE) :] += _string(root * 2 ** (step / 12), 3 * RATE - int(at * RATE), draw)
    return _peak(sound, draw.uniform(0.1, 0.4))


def _string(pitch: float, length: int, draw: np.random.Generator) -> np.ndarray:
    """Return one plucked note: harmonics, the higher the softer and the sooner gone."""
    time = np.arange(length) / RATE
    parts = [
        np.sin(2 * np.pi * pitch * number * time + draw.uniform(0, 6)) * np.exp(-time * number * 2) / number
        for number in range(1, 9)
    ]
    return np.sum(parts, axis=0) * np.minimum(1, time / 0.005)


def _resonant(noise: np.ndarray, formants: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    """Return noise with more energy around some frequencies (Hz)."""
    spectrum = np.fft.rfft(noise)
    frequencies = np.fft.rfftfreq(len(noise), 1 / RATE)
    gain = 0.1 + sum(np.exp(-(((frequencies - at * draw.uniform(0.8, 1.2)) / 250) ** 2)) for at in formants)
    return np.fft.irfft(spectrum * gain, len(noise))


def _peak(sound: np.ndarray, peak: float) -> np.ndarray:
    return (sound * peak / np.abs(sound).max()).astype(np.float32)


MADE = {"coughs": cough, "claps": clap, "typing": typing, "music": music}
