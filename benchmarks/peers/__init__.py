"""Compares rnntag with other taggers, each behind an adapter."""
