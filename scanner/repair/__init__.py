"""The repair of a data set: which rows to drop or to re-caption, and what that does to copies and risk."""
