"""Data larger than memory: shards, a compact index of manifests, arrays on the disk, worker processes."""
