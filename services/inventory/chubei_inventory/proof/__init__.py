"""Proof that the books are true: recomputed from their entries, every night and when somebody asks."""
