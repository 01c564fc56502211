"""What the page Why is made of: one result, and every point of its score."""
