"""One release: what it is called, how it is judged, what it shows, how it ends in Git."""
