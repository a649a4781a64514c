"""Every test of the repository may ask for real servers and signed callers."""

pytest_plugins = ["loyalty_testing.plugin"]
