"""A QR rail is one file: it opens an order and says whether it was paid, was not, or cannot be known yet."""
