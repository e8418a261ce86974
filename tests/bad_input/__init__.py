"""Bad input, by the numbers of docs/bad_input.md, through the doors by which it comes."""
