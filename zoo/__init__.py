"""The embedded models: tiny Qwen2 networks that this project trains on problems it generates itself."""
