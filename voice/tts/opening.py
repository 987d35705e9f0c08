"""From a voice's card to a synthesizer: one function for each engine, which imports what it needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial

from voice.errors import ModelDamaged, ModelMissing
from voice.models import Model, entries, find
from voice.models.card import option_of
from voice.models.catalog import entry_of
from voice.tts.engine import Engine
from voice.tts.voice import Voice

KOKORO_THREADS = 4  # beyond which its small products gain nothing
OTHERS = 4  # voices that texts have named, which stay loaded


def open_voice(model: Model, threads: int | None) -> Voice:
    """Return the voice of a model, which can change to the others that are here. Raises ModelError."""
    return ENGINES[model.card.engine](model, threads)


def _heart(model: Model, threads: int | None) -> Voice:
    from voice.tts.heart import Heart

    return _english(Heart.open(model.folder, threads=threads), model, threads)


def _acoustic(model: Model, threads: int | None) -> Voice:
    from voice.tts.acoustic import Acoustic

    return _english(Acoustic.open(model.folder, threads=threads), model, threads)


def _english(engine: Engine, model: Model, threads: int | None) -> Voice:
    """Return a voice that reads English in its accent."""
    from voice.text.registry import find_language

    language = find_language("en", option_of(model, "accent", ""))
    return Voice(engine, partial(_other_voice, threads=threads), language, _level(model))


def _level(model: Model) -> float | None:
    """Return how loud a voice speaks by its card, in LUFS; None where the card does not say."""
    level = option_of(model, "loudness", 0.0)
    return level if math.isfinite(level) and level < 0 else None


def _flow_matching(model: Model, threads: int | None) -> Voice:
    from voice.tts.flow_matching import FlowMatching

    return Voice(FlowMatching.open(model.folder, threads=threads), partial(_other_voice, threads=threads))


def _kokoro(model: Model, threads: int | None) -> Voice:
    from voice.models.kokoro import DEFAULT_VOICE
    from voice.models.sessions import cores
    from voice.text.languages import name_of
    from voice.text.registry import can_read, find_language
    from voice.tts.kokoro.engine import Kokoro

    code = "en" if model.card.language == "multilingual" else model.card.language
    if not can_read(code):
        raise ModelMissing(
            f"{model.card.name} speaks {name_of(code)}, and no text can be read in that language here; "
            f"choose a voice that speaks English, such as {DEFAULT_VOICE} or bf_emma"
        )
    language = find_language(code, option_of(model, "accent", ""))
    speaker = option_of(model, "speaker", DEFAULT_VOICE)
    engine = Kokoro.open(model.folder, threads=threads or min(cores(), KOKORO_THREADS), speaker=speaker)
    return Voice(engine, partial(_other_voice, threads=threads), language, _level(model))


@lru_cache(maxsize=OTHERS)
def _other_voice(name: str, threads: int | None) -> Voice:
    """Return a voice that markup names.

    It is one of the catalog that is here, because a text must neither fetch anything nor open a folder.
    Raises ModelMissing.
    """
    entry = entry_of(name)
    if entry is None or entry.card.kind != "voice" or not entry.in_place:
        voices = [each for each in entries().values() if each.card.kind == "voice" and each.in_place]
        here = [each.name for each in voices if not each.voice_of]
        raise ModelMissing(f"there is no voice {name[:80]!r} here; <voice> can name {', '.join(here)}")
    return open_voice(find(name, kind="voice"), threads)


def _transformers_voice(model: Model, threads: int | None) -> Voice:
    from voice.models.hub.folders import architecture
    from voice.tts.hub.engine import TextEngine
    from voice.tts.hub.speecht5 import SPEECHT5_VOCODER, SpeechT5Voice, has_vocoder
    from voice.tts.hub.vits import VitsVoice

    match named := architecture(model.folder):
        case "VitsModel":
            network: VitsVoice | SpeechT5Voice = VitsVoice.open(model.folder, threads=threads)
        case "SpeechT5ForTextToSpeech":
            vocoder = None if has_vocoder(model.folder) else find(SPEECHT5_VOCODER).folder
            network = SpeechT5Voice.open(model.folder, vocoder, threads=threads)
        case _:
            raise ModelDamaged(f'{model.folder} is no voice of transformers: its architecture is "{named}"')
    return _reading_voice(TextEngine(network), model, threads)


def _speechbrain_voice(model: Model, threads: int | None) -> Voice:
    from voice.tts.hub.engine import TextEngine
    from voice.tts.hub.tacotron2 import TACOTRON2_VOCODER, Tacotron2Voice

    beside = model.folder / "vocoder"
    vocoder = beside if beside.is_dir() else find(TACOTRON2_VOCODER).folder
    return _reading_voice(
        TextEngine(Tacotron2Voice.open(model.folder, vocoder, threads=threads)), model, threads
    )


def _reading_voice(engine: Engine, model: Model, threads: int | None) -> Voice:
    """Return a voice whose engine reads words itself, in English unless its card names another language."""
    from voice.text.english.language import ENGLISH
    from voice.text.letters import letter_language

    code = model.card.language
    language = ENGLISH if code in ("en", "multilingual") else letter_language(code)
    return Voice(engine, partial(_other_voice, threads=threads), language, _level(model))


ENGINES: dict[str, Callable[[Model, int | None], Voice]] = {
    "heart": _heart,
    "acoustic": _acoustic,
    "flow-matching": _flow_matching,
    "kokoro": _kokoro,
    "transformers": _transformers_voice,
    "speechbrain": _speechbrain_voice,
}
