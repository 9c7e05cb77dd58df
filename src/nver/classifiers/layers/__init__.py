"""What classifiers are made of: layers and losses."""
