"""What the Evaluation page is made of: kept runs, one query's sheet, measuring, marking."""
