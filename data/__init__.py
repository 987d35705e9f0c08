"""From recordings to training batches: corpora, loading, augmentation, batches."""
