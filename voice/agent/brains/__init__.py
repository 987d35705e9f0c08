"""What a conversation thinks with: skills alone, a language model on a server, or one in a folder."""
