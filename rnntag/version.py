"""The version, which the build, model directories and messages read."""

__version__ = "0.1.0"
