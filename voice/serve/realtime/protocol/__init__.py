"""The language of the Realtime protocol: events, items, settings and sound, as they are read and written."""
