"""Coverage-guided fuzzing of the readers and of `rnntag tag`; see `tests.fuzz.__main__`."""
