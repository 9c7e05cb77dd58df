"""Published corpora, one a file: what was published of each, and how its file names are read."""
