"""What the figures must reach: beyond a bound the benchmark ends with exit status 1.

Shares that are unverifiable have ceilings: what was measured at first, and one part in a hundred.
"""

from __future__ import annotations

MOST: dict[str, float] = {
    "wrong_passes": 0,
    "wrong_fails_share": 0.05,
    "real_wrong_passes": 0,
    "real_wrong_fails": 0,
    "mutant_passes": 0,
    "vetoed_right": 0.001,
    "ifeval_disagreements": 0,
    "forged": 0,
    "cpu_vs_plain_whole": 0.25,
    "cpu_vs_plain_answer": 1.0,
    "code_cases_wrong_passes": 0,
    "conformance_false_accepts": 0,
    "conformance_false_rejects": 0,
    "testfile_false_accepts": 0,
    "testfile_false_rejects": 0,
    "noise_over_limit": 0,
    "noise_changed": 0,
    "gsm8k_unverifiable": 0.012,
    "math8_unverifiable": 0.01,
    "kodcode_unverifiable": 0.01,
    "humaneval_unverifiable": 0.01,
    "ifeval_undecided_share": 0.028,
}
LEAST: dict[str, float] = {
    "self_agreement": 1.0,
    "mutants": 1000,
    "code_cases_right": 0.95,
    "gsm8k_agreement": 0.998,
    "math8_agreement": 0.995,
    "kodcode_agreement": 0.98,
    "humaneval_agreement": 1.0,
    "testfile_same": 0.98,
    "testfiles": 300,
}
