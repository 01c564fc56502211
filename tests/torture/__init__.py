"""Scripts that damage what Visword reads, and look whether it survives."""
