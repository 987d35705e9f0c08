"""What is wrong with manifests, row by row, and what mends it."""
