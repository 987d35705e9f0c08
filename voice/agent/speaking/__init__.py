"""The speaking half of a conversation: replies made speakable, synthesized and played in time."""
