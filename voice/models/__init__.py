"""Where models come from: the catalog, the cache, the package, a folder, the Hugging Face Hub."""
