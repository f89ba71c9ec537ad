"""One source: its snapshot, what its files mean, what changed, who set a value, and the edit that takes a change back."""
