"""What can go wrong, as one tree. Every message says what to do next.

VoiceError
├── AudioError          a file or an array that holds no usable sound
├── ModelError          a model that cannot be used
│   ├── ModelMissing    not on this machine, and not fetched
│   └── ModelDamaged    its files are not what its card says
├── TextError           text or markup that cannot be read
├── ManifestError       a data manifest with a wrong row
└── BrainError          the language model behind the agent does not answer
"""

from __future__ import annotations


class VoiceError(Exception):
    """Anything that this library raises on purpose; the command line prints it in one line."""


class AudioError(VoiceError):
    """A file or an array that holds no usable sound."""


class ModelError(VoiceError):
    """A model that cannot be used."""


class ModelMissing(ModelError):
    """A model that is not on this machine and could not be fetched."""


class ModelDamaged(ModelError):
    """A model whose files are not what its card says."""


class TextError(VoiceError):
    """Text or markup that cannot be read."""


class ManifestError(VoiceError):
    """A data manifest with a wrong row."""


class BrainError(VoiceError):
    """The language model behind the agent does not answer; `sayable` is what the agent says."""

    def __init__(self, message: str, sayable: str = "") -> None:
        super().__init__(message)
        self.sayable = sayable
