"""The commands a person types; each reads, prints, and exits with a code that means something."""
