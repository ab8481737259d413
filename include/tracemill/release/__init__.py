"""The published shape of a release: rows in the AM-DeepSeek-R1-Distilled-1.4M layout, card, figures, plain folder."""
