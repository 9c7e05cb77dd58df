"""A user's own recordings: a folder an emotion, a table, an audformat database, an audiofolder."""

OWN = "your own recordings"  # the citation and licence of their cards
