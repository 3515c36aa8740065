"""Bounds on what is not identified, with the worlds that attain them."""
