"""What of existing manifests is the same here as with Argo Rollouts, and what is not."""
