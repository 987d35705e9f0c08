"""Italian: the standard, with the open and closed vowels and the voiced s of the north."""
