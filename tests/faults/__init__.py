"""Kill, cut, empty, repeat: what must not harm a run."""
