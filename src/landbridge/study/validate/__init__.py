"""The model held against the world: runs of the years, events and scenarios that observed figures ask for."""
