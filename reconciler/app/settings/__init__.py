"""What `reconciler.yaml` says: parsed strictly, with the line of what is wrong."""
