"""The report of a training: one page with curves, tables, pictures and sound."""
