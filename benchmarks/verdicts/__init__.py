"""How far verdicts hold: each module measures one kind of verdict and gives its `figures()`."""
