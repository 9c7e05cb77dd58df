"""Encoders that are all code: statistics, prosody, duration and level, a fingerprint."""
