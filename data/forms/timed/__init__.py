"""Files beside a recording that say what is said in it and when."""
