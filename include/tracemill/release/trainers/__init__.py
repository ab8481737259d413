"""A release in the layouts that trainers read: opened again, laid out, written to a folder with its card."""
