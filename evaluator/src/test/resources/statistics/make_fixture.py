"""Writes levels.json: the public formulas of the betting tests, worked out in another language.

Run: python3 make_fixture.py > levels.json
"""
import json
import math


def agrapa(rows, n0, mu0, v0, cap):
    sum_y, sum_q, log_e, bets, levels = 0.0, 0.0, 0.0, [], []
    for i, y in enumerate(rows):
        mu = (n0 * mu0 + sum_y) / (n0 + i)
        v = (n0 * (v0 + mu0 ** 2) + sum_q) / (n0 + i) - mu ** 2
        bet = min(max(mu / (v + mu ** 2), 0.0), cap)
        log_e += math.log1p(bet * y)
        bets.append(bet)
        levels.append(log_e)
        sum_y += y
        sum_q += y * y
    return {"bets": bets, "log_e": levels}


def grid(rows, lowest, k=20):
    bets = [math.sin(math.pi * (j + 0.5) / (2 * k)) ** 2 / lowest for j in range(k)]
    levels, products = [], [1.0] * k
    for y in rows:
        products = [p * (1 + b * y) for p, b in zip(products, bets)]
        levels.append(math.log(sum(products) / k))
    return levels


def bh(values, alpha):
    n = len(values)
    ranked = sorted(values, reverse=True)
    k = max([i for i in range(1, n + 1) if ranked[i - 1] >= n / (i * alpha)], default=0)
    return [int(k > 0 and v >= n / (k * alpha)) for v in values]


def lond(values, alpha):
    zeta = sum(t ** -1.6 for t in range(1, 2_000_000)) + 2_000_000 ** -0.6 / 0.6
    rejected, levels = [], []
    for t, e in enumerate(values, 1):
        level = alpha * t ** -1.6 / zeta * (sum(rejected) + 1)
        levels.append(level)
        rejected.append(int(e >= 1 / level))
    return {"levels": levels, "rejected": rejected}


d = [1 if t % 7 == 0 else -1 if t % 13 == 0 else 0 for t in range(1, 61)]
margin = 0.03
base = [1 + (t * t * 7) % 16 for t in range(1, 31)]
cand = [1 + (t * 5) % 6 for t in range(1, 31)]
y = [0.9 * b - c for b, c in zip(base, cand)]
e = [3.0, 90.0, 0.2, 500.0, 14.0, 1.0, 41.0]
print(json.dumps({
    "differences": d, "margin": margin,
    "accuracy": agrapa([x + margin for x in d], 50, margin, 0.1, 0.5 / (1 - margin)),
    "accuracy_grid": grid([x + margin for x in d], 1 - margin),
    "baseline": base, "candidate": cand, "cap": 16,
    "cost": agrapa(y, 1, 0.0, 16.0, 0.5 / 16), "cost_grid": grid(y, 16),
    "e_values": e, "bh_05": bh(e, 0.05), "bh_20": bh(e, 0.2), "lond_10": lond(e, 0.1),
}, indent=1))
