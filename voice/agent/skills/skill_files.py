"""Skills that a user wrote in a Python file."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from voice.agent.skills.registry import Skill, skills_of
from voice.errors import VoiceError


def load_skills(path: str | Path) -> tuple[Skill, ...]:
    """Return the skills in a Python file of a user. The file is run: load only what you trust.

    Raises VoiceError, with the line, if something in the file is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise VoiceError(f"no file of skills at {path}; give the path of a Python file")
    spec = importlib.util.spec_from_file_location(f"voice_skills_{path.stem}", path.resolve())
    if spec is None or spec.loader is None:
        raise VoiceError(f"{path} is no Python file; skills lie in one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    try:
        spec.loader.exec_module(module)
    except VoiceError as error:
        raise VoiceError(f"{_location(path, error)}: {error}") from error
    except Exception as error:  # whatever the user's file raises
        reason = f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
        raise VoiceError(f"{_location(path, error)}: the file does not run: {reason}") from error
    found = _skills_in(path, module)
    if not found:
        raise VoiceError(f'{path} holds no skills: put @skill("a phrase") above a function')
    return found


def _skills_in(path: Path, module: ModuleType) -> tuple[Skill, ...]:
    try:
        return skills_of(module)
    except VoiceError as error:
        raise VoiceError(f"{path}: {error}") from error


def _location(path: Path, error: Exception) -> str:
    """Return the file with the line that raised the error, if that is known."""
    if isinstance(error, SyntaxError) and error.lineno and str(error.filename) == str(path.resolve()):
        return f"{path}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [each.lineno for each in frames if each.filename == str(path.resolve())]
    return f"{path}, line {lines[-1]}" if lines else str(path)
