"""The page Step by step: SURF followed from pixels to numbers, and what survives a change."""
