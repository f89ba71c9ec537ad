"""What people are told of a release, and the protocol of a forge."""
