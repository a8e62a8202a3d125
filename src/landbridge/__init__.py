"""Landbridge plans Eurasia's overland freight corridors from one atlas of sourced facts."""

__version__ = "0.1.0"

__all__ = ["__version__"]
