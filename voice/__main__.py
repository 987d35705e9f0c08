"""`python -m voice` is the command line."""

from voice.cli import app

if __name__ == "__main__":
    app()
