"""Proving control of names (RFC 8555 §8): which solver by which challenge, proofs up and down, waiting until seen."""
