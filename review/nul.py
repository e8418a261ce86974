"""What PostgreSQL keeps in no text, said in one sentence at every door."""

_CANNOT = "holds a NUL character, which cannot be kept. Take it out and try again."
NO_NUL = f"A text {_CANNOT}"
NO_NUL_IN_COMMENT = f"The comment {_CANNOT}"
