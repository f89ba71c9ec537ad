"""What lives beside what Git asks for: differences, whose they are, what is carried over."""
