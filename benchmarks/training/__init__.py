"""A release that trains: which templates keep its rows whole, how fast that is proved, whether the loss is right."""
