"""What other tools read: prompts in their formats, and lists of rows to drop. One file per consumer."""
