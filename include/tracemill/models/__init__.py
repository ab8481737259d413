"""Models behind HTTP: what is served, where it answers, the client that asks, and what was answered before."""
