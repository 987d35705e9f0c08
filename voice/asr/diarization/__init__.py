"""Who speaks when: speaker embeddings, clustering, and words attributed to speakers."""
