"""Processes, threads and files: what the machine does for us."""
