"""Why a rollout or a release stands where it stands, and what would have made it go otherwise."""
