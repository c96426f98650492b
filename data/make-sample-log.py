#!/usr/bin/env python3
"""Makes data/logs/support.jsonl: a small OpenAI-format log with recurring problems, for the README.

A billing desk asks the same few kinds of question every day, from many people; each request carries
the right answer, as a log with a checked outcome does. One request in four is a one-off. No real
person, key or price is in it. Deterministic: the same seed gives the same file.

usage: python3 data/make-sample-log.py > data/logs/support.jsonl
"""
import json
import random

rng = random.Random(20260301)
START = 1772323200  # 2026-03-01T00:00:00Z
ITEMS = ["pens", "notebooks", "mugs", "lamps", "chairs", "cables", "stamps", "folders"]


def discount():
    n, price, off = rng.randint(2, 20), rng.randint(2, 40), rng.choice([5, 10, 20, 25, 50])
    item = rng.choice(ITEMS)
    total = n * price * (100 - off) / 100
    text = rng.choice([
        f"I bought {n} {item} at {price} dollars each with a {off}% discount. What is my total?",
        f"What do {n} {item} cost at {price} dollars each after {off}% discount?",
        f"Please work out my total: {n} {item}, {price} dollars each, {off}% discount.",
    ])
    return "discount", text, total


def refund():
    paid, days = rng.randint(30, 300), rng.randint(1, 29)
    text = rng.choice([
        f"I cancelled my plan on day {days} of 30 and paid {paid} dollars. What is my pro-rata refund?",
        f"My plan cost {paid} dollars for 30 days, I cancelled after {days} days; how much refund do I get?",
        f"Refund please: {paid} dollars paid for 30 days, {days} days used. How much?",
    ])
    return "refund", text, round(paid * (30 - days) / 30, 2)


def late_fee():
    bill, weeks, pct = rng.randint(50, 500), rng.randint(1, 6), rng.choice([1, 2, 5])
    text = rng.choice([
        f"My bill of {bill} dollars is {weeks} weeks late at {pct}% of the bill per week. What is the late fee?",
        f"What late fee is due on a {bill} dollar bill, {weeks} weeks overdue, {pct}% per week?",
        f"I pay {weeks} weeks late: bill {bill} dollars, fee {pct}% per week. How high is the fee?",
    ])
    return "late_fee", text, bill * weeks * pct / 100


def one_off():
    a, b = rng.randint(2, 99), rng.randint(2, 99)
    thing = rng.choice(["harbour", "orchard", "glacier", "violin", "comet", "lantern", "quarry", "meadow",
                        "turbine", "archive", "beacon", "canyon", "ferry", "granary", "kiln", "mosaic"])
    verb = rng.choice(["doubles", "shrinks", "splits", "turns", "drifts", "sinks", "rises", "closes"])
    text = f"When the {thing} {verb} {a} times and again {b} times, how often is that in the {rng.choice(ITEMS)} story?"
    return "other", text, a + b


def number(value):
    return str(int(value)) if float(value).is_integer() else f"{value:.2f}".rstrip("0")


def main():
    kinds = [discount, refund, late_fee, one_off]
    for i in range(360):
        kind, text, answer = kinds[rng.randrange(4)]()
        right = rng.random() < 0.7
        said = number(answer) if right else number(answer + rng.choice([-2, -1, 1, 3, 10]))
        steps = "Let me work it out step by step. " * rng.randint(1, 6)
        print(json.dumps({
            "request": {"model": "small-chat", "user": f"customer-{rng.randrange(60):02d}",
                        "messages": [{"role": "system", "content": "You are a billing assistant."},
                                     {"role": "user", "content": text}]},
            "response": {"id": f"chatcmpl-sample-{i:04d}", "object": "chat.completion",
                         "created": START + i * 2400 + rng.randrange(600), "model": "small-chat-1",
                         "choices": [{"index": 0, "finish_reason": "stop",
                                      "message": {"role": "assistant", "content": f"{steps}The answer is {said}."}}],
                         "usage": {"prompt_tokens": 20 + len(text) // 4,
                                   "completion_tokens": (len(steps) + 20) // 4}},
            "reference": number(answer),
            "tags": {"desk": "billing", "kind": kind},
        }))


main()
