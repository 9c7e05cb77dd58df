"""Neural codecs: the frames before quantisation, or the codes."""
