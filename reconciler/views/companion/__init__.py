"""Who else applies what Git holds: Argo CD, Flux, and what they have to ignore."""
