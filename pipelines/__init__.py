"""The recipes: stages put in order, the command line, and the engines that run them."""
