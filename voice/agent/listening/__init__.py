"""The hearing half of a conversation: endpointing, barge-in, backchannels, echo, recognition of a turn."""
