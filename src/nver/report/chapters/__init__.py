"""What the report says, one chapter a file."""
