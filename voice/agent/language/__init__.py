"""The English that skills and endpointing understand: numbers, phrases, arithmetic, units, dates."""
