"""What a release becomes in training: how a trainer's template renders each row, and which tokens are in the loss."""
