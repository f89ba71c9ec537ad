"""The share of requests that a canary really serves, beside the weight in force."""
