"""Written → spoken for any language: rules over a sentence, and what languages with like writing share."""
