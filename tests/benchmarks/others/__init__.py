"""Other tools and recipes for duplicates, each run as its users run it, to stand beside ours."""
