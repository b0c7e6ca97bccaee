"""The parts of scripts/image/build. Python's own library only."""


class ImageError(Exception):
    """Says what is wrong and what to do about it."""
