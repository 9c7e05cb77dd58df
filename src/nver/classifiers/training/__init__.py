"""How a classifier is trained on embeddings: the loop, its settings, what is tuned and scaled."""
