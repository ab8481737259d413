"""The control run: the same tests with other expected values, which an honest program fails and a cheat passes."""
