"""Reports read from the store alone: the funnel, the life of one row, agreement with known verdicts."""
