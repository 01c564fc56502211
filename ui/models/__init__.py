"""What the page Models is made of: what is installed, getting more, vectors of a collection."""
