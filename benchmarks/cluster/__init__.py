"""The cluster of docker-compose.yaml on an engine of our own, without a registry: what starts it, and what it costs."""
