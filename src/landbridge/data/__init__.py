"""Facts: reading and checking tables, their dictionary, their sources, and the formats that others use."""
