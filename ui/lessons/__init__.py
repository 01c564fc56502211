"""What the page Lessons is made of: a module a lesson, and what the lessons share."""
