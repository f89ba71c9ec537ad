"""One Experiment: versions side by side for a while, measured and removed again (contract 8). Pure but for its ends."""
