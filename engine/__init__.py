"""Content-based image retrieval with SURF and visual words."""
