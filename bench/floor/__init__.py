"""What the product is measured against: the same work with nothing around it."""
