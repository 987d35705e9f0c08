"""Written text: how it is read, beside published cases and other programs."""
