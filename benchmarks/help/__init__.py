"""Whether a choice helps: planted harm, null changes, fit to a student, forecasts, routes, money."""
