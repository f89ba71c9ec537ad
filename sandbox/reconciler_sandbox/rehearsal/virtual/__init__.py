"""The daemon under virtual time: a loop that jumps, and hands that live in memory."""
