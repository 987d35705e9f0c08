"""Where models come from: the catalog, the cache, the package, a folder, the Hugging Face Hub."""

from voice.models.card import Card
from voice.models.catalog import Entry, Model, entries, find, get, home, remove

__all__ = ["Card", "Entry", "Model", "entries", "find", "get", "home", "remove"]
