"""Order of work: what is done before what, how often, with which settings, and kept where."""
