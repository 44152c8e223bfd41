"""The command line: one file a command, each a door to what the house can do."""
