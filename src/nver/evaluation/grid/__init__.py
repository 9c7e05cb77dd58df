"""The grid of a recipe: its cells planned, evaluated and kept; what a run takes, how far it is."""
