"""Speech to text by an encoder of one's own: Conformer, Whisper's or wav2vec 2.0's, by CTC and attention."""
