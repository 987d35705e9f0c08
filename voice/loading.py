"""From the name of a model to a recognizer, a voice, a turn detector, a diarizer or a vocoder.

Each kind of model and engine has one function here that opens it, and imports what it needs only then.
`load` opens any kind; `load_recognizer` and the others open one kind, and return its type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voice.errors import ModelDamaged, ModelError
from voice.models import Model, entries, find
from voice.models.card import option_of
from voice.models.fetch import Progress
from voice.types import Recognizer, Synthesizer, TurnDetector

if TYPE_CHECKING:
    from voice.asr.diarization.speakers import Diarizer
    from voice.tts.vocoder import Vocoder
    from voice.tts.watermark import Watermarker

    Opened = Recognizer | Synthesizer | TurnDetector | Diarizer | Vocoder | Watermarker

VOICE_ENGINES = (  # of voice.tts.opening
    "heart", "acoustic", "flow-matching", "kokoro", "transformers", "speechbrain",
)  # fmt: skip
CTC_TIMES = {"frame": 0.04, "chunk": 0.0, "lead": 0.0}  # seconds on the card of a CTC recognizer
KIND_NAMES = {
    "recognizer": "a recognizer",
    "voice": "a voice",
    "turn": "an end-of-turn detector",
    "speakers": "something that tells speakers apart",
    "vocoder": "a vocoder",
    "watermark": "a watermark",
}


def load(
    name: str, *, threads: int | None = None, kind: str | None = None, progress: Progress | None = None
) -> Opened:
    """Return the model called `name` (a catalog name, a folder or hf:ORG/NAME[@revision]), ready for use.

    `threads` bounds the processor cores that it uses (default: all). With `kind`, a model of another
    kind is refused. `progress` is called with the bytes fetched. Raises ModelError.
    """
    opened: Opened = open_model(name, threads=threads, kind=kind, progress=progress)
    return opened


def load_recognizer(name: str, *, threads: int | None = None, progress: Progress | None = None) -> Recognizer:
    """Return the recognizer called `name`; see `load`. Raises ModelError, also for another kind of model."""
    opened: Recognizer = open_model(name, kind="recognizer", threads=threads, progress=progress)
    return opened


def load_voice(name: str, *, threads: int | None = None, progress: Progress | None = None) -> Synthesizer:
    """Return the voice called `name`; see `load`. Raises ModelError, also for another kind of model."""
    opened: Synthesizer = open_model(name, kind="voice", threads=threads, progress=progress)
    return opened


def load_turn_detector(
    name: str, *, threads: int | None = None, progress: Progress | None = None
) -> TurnDetector:
    """Return the turn detector called `name`; see `load`. Raises ModelError, also for another kind."""
    opened: TurnDetector = open_model(name, kind="turn", threads=threads, progress=progress)
    return opened


def load_speakers(
    name: str = "speakers", *, threads: int | None = None, progress: Progress | None = None
) -> Diarizer:
    """Return the diarizer called `name`; see `load`. Raises ModelError, also for another kind of model."""
    opened: Diarizer = open_model(name, kind="speakers", threads=threads, progress=progress)
    return opened


def load_watermark(name: str = "perth", *, progress: Progress | None = None) -> Watermarker:
    """Return the watermark called `name`; see `load`. Raises ModelError, also for another kind of model."""
    opened: Watermarker = open_model(name, kind="watermark", progress=progress)
    return opened


def load_vocoder(name: str, *, threads: int | None = None, progress: Progress | None = None) -> Vocoder:
    """Return the vocoder called `name`; see `load`. Raises ModelError, also for another kind of model."""
    opened: Vocoder = open_model(name, kind="vocoder", threads=threads, progress=progress)
    return opened


def open_model(
    name: str, *, threads: int | None = None, kind: str | None = None, progress: Progress | None = None
) -> Any:
    """Return a model as the function of its kind and engine in OPENERS opens it; see `load`."""
    model = find(name, kind=kind, progress=progress)
    card = model.card
    if kind is not None and card.kind != kind:
        raise ModelError(f"{name} is {KIND_NAMES[card.kind]}, not {KIND_NAMES[kind]}; voice models lists all")
    opener = OPENERS.get((card.kind, card.engine))
    if opener is None:
        known = ", ".join(f"{kind} {engine}" for kind, engine in OPENERS)
        raise ModelDamaged(f'{name}: no {card.kind} has the engine "{card.engine}"; there are {known}')
    return opener(model, threads)


def _whisper(model: Model, threads: int | None) -> Recognizer:
    from voice.asr.whisper.confidence import Calibration, mean_token_probability
    from voice.asr.whisper.recognizer import HEAD, Whisper

    context = option_of(model, "context", "full")
    if context not in ("full", "utterance"):
        raise ModelDamaged(f'{model.folder}: the context is "{context}"; it is full or utterance')
    weights = option_of(model, "confidence", {})
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in weights.values()):
        raise ModelDamaged(f"{model.folder}: the confidence of its card is not made of numbers")
    lender = entries().get(option_of(model, "head", ""))
    lent = lender and lender.home / HEAD  # by a model whose encoder is all but the same
    return Whisper.open(
        model.folder,
        threads=threads,
        context=context,
        only=None if context == "full" else model.card.language,  # what it was not tuned to is babble
        head=lent if lent and lent.is_file() else None,
        confidence=Calibration(weights) if weights else mean_token_probability,
    )


def _ctc(model: Model, threads: int | None) -> Recognizer:
    from voice.asr.ctc.beam_search import SearchOptions
    from voice.asr.ctc.recognizer import FEATURE_WIDTHS, CTCOptions, OnnxCTCRecognizer

    kind = option_of(model, "features", "kaldi")
    if kind not in FEATURE_WIDTHS:
        raise ModelDamaged(f'{model.folder}: the features are "{kind}"; they are {", ".join(FEATURE_WIDTHS)}')
    usual = SearchOptions()
    search = SearchOptions(
        beam=option_of(model, "beam", usual.beam),
        lm_weight=option_of(model, "lm_weight", usual.lm_weight),
        word_bonus=option_of(model, "word_bonus", usual.word_bonus),
        unknown_word=option_of(model, "unknown_word", usual.unknown_word),
        label_floor=option_of(model, "label_floor", usual.label_floor),
    )
    frame, chunk, lead = (option_of(model, name, usual) for name, usual in CTC_TIMES.items())
    if not (0 < frame <= 1 and 0 <= chunk < math.inf and 0 <= lead <= 1):
        raise ModelDamaged(f"{model.folder}: its card has a frame of {frame:g} s and a chunk of {chunk:g} s")
    named = option_of(model, "language_model", "")
    if named and named not in model.card.files:
        raise ModelDamaged(f'{model.folder}: its card has no file "{named}"')
    return OnnxCTCRecognizer.open(
        model.folder,
        CTCOptions(kind, frame, chunk, lead, search),
        model.card.language,
        language_model=model.folder / named if named else None,
        threads=threads,
    )


def _transformers_recognizer(model: Model, threads: int | None) -> Recognizer:
    from voice.asr.ctc.emissions import CTCRecognizer
    from voice.asr.hub.generating import TOKENS_PER_SECOND, GeneratingRecognizer
    from voice.asr.hub.transformers_ctc import TransformersEmissions
    from voice.models.hub.folders import architecture, kind_of

    named = architecture(model.folder)
    if kind_of(named) != "recognizer":
        raise ModelDamaged(f'{model.folder} is no recognizer of transformers: its architecture is "{named}"')
    languages = _languages(model)
    if named.endswith("ForCTC"):
        network = TransformersEmissions.open(model.folder, threads=threads)
        return CTCRecognizer(network, network.vocabulary(model.folder), languages)
    most = option_of(model, "tokens_per_second", TOKENS_PER_SECOND)
    return GeneratingRecognizer.open(model.folder, named, languages, tokens_per_second=most, threads=threads)


def _speechbrain_recognizer(model: Model, threads: int | None) -> Recognizer:
    from voice.asr.ctc.emissions import CTCRecognizer
    from voice.asr.hub.speechbrain_ctc import SpeechbrainEmissions

    network = SpeechbrainEmissions.open(model.folder, threads=threads)
    return CTCRecognizer(network, network.vocabulary, _languages(model))


def _languages(model: Model) -> frozenset[str]:
    """Return the languages that a recognizer may know by its card."""
    from voice.text.languages import LANGUAGES

    return LANGUAGES if model.card.language == "multilingual" else frozenset({model.card.language})


def _voice(model: Model, threads: int | None) -> Synthesizer:
    from voice.tts.opening import open_voice

    return open_voice(model, threads)


def _smart_turn(model: Model, threads: int | None) -> TurnDetector:
    from voice.smart_turn import SmartTurn

    return SmartTurn.open(model.folder, threads=threads)


def _speakers(model: Model, threads: int | None) -> Diarizer:
    from voice.asr.diarization.speakers import Diarizer

    return Diarizer.open(model.folder, threads=threads)


def _vocoder(model: Model, threads: int | None) -> Vocoder:
    from voice.tts.vocoder import Vocoder

    return Vocoder.open(model.folder, threads=threads or 1)


def _watermark(model: Model, threads: int | None) -> Watermarker:
    from voice.tts.watermark import Watermarker

    return Watermarker.open(model.folder)


OPENERS: dict[tuple[str, str], Callable[[Model, int | None], Any]] = {
    ("recognizer", "whisper"): _whisper,
    ("recognizer", "transformers"): _transformers_recognizer,
    ("recognizer", "speechbrain"): _speechbrain_recognizer,
    ("recognizer", "ctc"): _ctc,
    **{("voice", engine): _voice for engine in VOICE_ENGINES},
    ("turn", "smart-turn"): _smart_turn,
    ("speakers", "pyannote-campplus"): _speakers,
    ("vocoder", "source-filter"): _vocoder,
    ("watermark", "perth"): _watermark,
}
