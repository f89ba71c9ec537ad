"""What Git asks for against what lives: order, permission, what runtime owns, adoption, removals."""
