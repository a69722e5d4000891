"""The rungs of the end-to-end ladder; only the standard library."""
