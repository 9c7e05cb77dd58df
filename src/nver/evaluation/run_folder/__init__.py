"""What a run leaves behind: the files of its folder (`layout`), written and read."""
