"""`python -m voice` is the command line."""

from voice.cli import main

if __name__ == "__main__":
    main()
