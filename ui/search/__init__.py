"""The page Search: one ranking, or two methods beside each other."""
