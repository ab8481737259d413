"""Whether harm is found and null changes are not, what fit says, forecasts, routes, money; see benchmarks.figures."""

import benchmarks.help as package
from benchmarks.figures import run

# Beyond these the benchmark ends with exit status 1.
MOST = {
    "planted_harm_p": 0.05,
    "null_calls": 0.07,
    "forecast_coverage": 0.94,
    "routes_tokens_held": 0.95,
    "routes_money_held": 0.95,
    "routes_solved_held": 0.95,
    "attributed_error": 0.05,
    "attributed_sum_error": 0.02,
    "cost_limit_overshoot": 1.0,
}
LEAST = {
    "null_calls": 0.03,
    "forecast_coverage": 0.86,
    "routes_tokens_held": 0.85,
    "routes_money_held": 0.85,
    "routes_solved_held": 0.85,
    "routes_least_solved": 0.95,  # a plan may solve 5 % fewer of the problems than the strongest teacher
}

if __name__ == "__main__":
    run(package, MOST, LEAST)
