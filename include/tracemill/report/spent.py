"""How much money a run has spent until now, and how much it may: read off the store, without any row."""

from __future__ import annotations

from dataclasses import dataclass

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.models.budget import Budget
from tracemill.models.prices import amount
from tracemill.recipe import Recipe


@dataclass(frozen=True)
class Spent:
    """Money and limit in `currency`: None where the recipe gives no price or several currencies, or no limit."""

    money: float | None
    limit: float | None
    currency: str

    @property
    def line(self) -> str:
        """The same in a sentence."""
        if self.money is None:
            return "The recipe gives no price, or prices in several currencies, so there is no money to add up."
        limit = f" of {amount(self.limit)}" if self.limit is not None else ""
        return f"Spent: {amount(self.money)}{limit} {self.currency}"


def spent(recipe: Recipe, store: Store) -> Spent:
    """Add up what clients and servers wrote down. Raises StoreError."""
    cost = recipe.located(Resources(environment={})).cost
    budget = Budget(store, cost)
    budget.settle(always=True)
    return Spent(budget.spent() if cost.currency else None, budget.limit, cost.currency)
