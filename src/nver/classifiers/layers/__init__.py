"""Layers and losses of the classifiers."""
