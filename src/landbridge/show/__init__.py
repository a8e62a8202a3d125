"""Interfaces: the command line and the report."""
