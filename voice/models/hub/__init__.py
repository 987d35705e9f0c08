"""Models in the folders of other libraries: which kind of model a folder holds, and opening it safely."""
