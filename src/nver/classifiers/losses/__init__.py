"""Losses beside the cross-entropy: what aligns the streams of a fusion."""
