"""A person's own recordings: a folder a class, a table, an audformat database, an audiofolder."""
