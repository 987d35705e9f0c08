"""From recordings to training batches: corpora, loading, augmentation, batches."""

from data.failures import explain_failures

explain_failures()
