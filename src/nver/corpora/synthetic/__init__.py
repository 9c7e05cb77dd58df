"""The synthetic corpus: bursts made by a synthesiser, for tests and the demo."""
