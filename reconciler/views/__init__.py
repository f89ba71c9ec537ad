"""What commands and pages show, as plain data: the tree of a rollout, and why it stands where it stands. Pure."""
