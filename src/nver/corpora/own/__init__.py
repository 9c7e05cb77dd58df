"""A user's own recordings: a folder an emotion, a table, an audformat database, an audiofolder."""

from functools import partial

from nver.corpora.base import CorpusCard

OWN = "your own recordings"
own_card = partial(CorpusCard, citation=OWN, licence=OWN, url=OWN)
