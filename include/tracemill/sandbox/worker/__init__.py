"""The part that runs inside the sandbox: standard library only, the same code in namespaces and in a container."""
