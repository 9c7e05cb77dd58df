"""Foundation models with attention, by transformers."""
