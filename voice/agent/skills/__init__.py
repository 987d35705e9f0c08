"""What the agent can do by itself, and how skills are found, called and written."""
