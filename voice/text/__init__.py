"""Text to what is spoken: sentences, markup, normalization, pronunciation; subtitles."""
