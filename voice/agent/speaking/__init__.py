"""The speaking half of a conversation: replies as text for speech, synthesized and played in time."""
