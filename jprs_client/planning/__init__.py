"""What is due, when and why: facts in, actions out. Nothing here looks at the world."""
