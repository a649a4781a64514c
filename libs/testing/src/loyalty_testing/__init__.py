"""Real servers and real keys for the tests of every service; ``plugin`` names the fixtures."""
