"""Speech to text: recognizers, long recordings, live recognition, diarization."""
