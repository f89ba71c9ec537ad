"""Commands about files and clones: no cluster is asked."""
