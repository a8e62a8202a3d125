"""The Eurasian atlas: sourced tables and lines that ship with Landbridge, under the Open Database License."""
