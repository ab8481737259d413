"""One operator a stage; see stages.py."""
