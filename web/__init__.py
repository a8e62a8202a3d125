"""The built map of Landbridge; its files are in ``static``."""
