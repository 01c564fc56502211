"""The page Vocabulary, in parts."""
