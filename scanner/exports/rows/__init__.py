"""Lists of rows to drop, and the data set without them: one file per consumer."""
