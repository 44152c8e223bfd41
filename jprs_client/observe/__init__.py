"""What the world looks like: certificates as served, DNS, and what others publish about us."""
