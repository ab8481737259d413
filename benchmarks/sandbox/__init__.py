"""How many programs per CPU-second the sandbox judges, against running them plainly and against in-process scoring."""
