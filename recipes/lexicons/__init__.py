"""Lexicons of languages whose spelling leaves something open, as compact as the package carries them."""
