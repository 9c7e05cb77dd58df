"""Tables for people: what stands in them, and how they are written."""
