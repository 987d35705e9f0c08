"""Where models come from: the catalog, the cache, the package, a folder, the Hugging Face Hub."""

from voice.models.cache import home
from voice.models.card import Card, Model
from voice.models.catalog import Entry, entries
from voice.models.lookup import find, get, remove

__all__ = ["Card", "Entry", "Model", "entries", "find", "get", "home", "remove"]
