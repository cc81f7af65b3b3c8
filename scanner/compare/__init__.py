"""Two runs side by side: what is gone, new or changed, and what that did to the risk."""
