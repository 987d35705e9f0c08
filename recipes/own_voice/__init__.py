"""A voice from a folder of recordings in one go: `voice train voice FOLDER --name anna`."""
