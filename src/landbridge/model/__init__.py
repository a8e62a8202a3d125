"""Calculation: pure functions over arrays. Nothing here reads files, prints, keeps state or asks the clock."""
