"""tracemill builds verified reasoning datasets: problems in, checked traces out, every decision on record."""

__version__ = "0.1.0"
