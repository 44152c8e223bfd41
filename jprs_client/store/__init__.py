"""What is remembered between runs: facts in one database, keys and certificates as files, claims as kernel locks."""
