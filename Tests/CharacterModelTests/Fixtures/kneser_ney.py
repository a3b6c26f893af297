"""Interpolated modified Kneser-Ney n-grams, by the book and without care for speed: the figures that the tests expect.

Usage: python3 kneser_ney.py > kneser_ney.json

A text is a list of records; each is read as a boundary "^" and its symbols, and with ends=True predicts a closing "^" too.
"""
import json
import math
from collections import defaultdict


def ngrams(record, order, ends):
    symbols = ["^"] + list(record) + (["^"] if ends else [])
    for i in range(1, len(symbols)):
        for n in range(1, order + 1):
            if i - n + 1 >= 0:
                yield tuple(symbols[i - n + 1 : i + 1]), i - n + 1 == 0


def discounts(counts):
    n = [sum(1 for c in counts.values() if c == k) for k in range(5)]
    if min(n[1:]) > 0:
        y = n[1] / (n[1] + 2 * n[2])
        d = [0] + [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
        if all(0 <= d[k] <= k for k in (1, 2, 3)):
            return d
    return [0, 0.5, 1, 1.5]


class Level:
    """The n-grams of one length, counted in one way."""

    def __init__(self, counts):
        self.counts = {g: c for g, c in counts.items() if c > 0}
        self.d = discounts(self.counts)
        self.after = defaultdict(list)
        for g, c in self.counts.items():
            self.after[g[:-1]].append(c)

    def p(self, gram, shorter):
        following = self.after.get(gram[:-1])
        if not following:
            return shorter
        total = sum(following)
        c = self.counts.get(gram, 0)
        left = sum(self.d[min(x, 3)] for x in following)
        return (c - self.d[min(c, 3)]) / total + left / total * shorter


def fit(train, order, ends):
    raw, left = defaultdict(int), defaultdict(set)
    begins = defaultdict(int)
    for record in train:
        for gram, at_start in ngrams(record, order + 1, ends):
            raw[gram] += 1
            if at_start:
                begins[gram] += 1
            if len(gram) > 1:
                left[gram[1:]].add(gram[0])
    levels = {}
    for n in range(1, order + 1):
        occ = {g: c for g, c in raw.items() if len(g) == n}
        cont = {g: begins[g] if g in begins else len(left[g]) for g in occ}
        levels[n] = Level(occ), Level(cont)
    return levels


def score(levels, test, order, ends, predictable):
    totals = [0.0] * order
    for record in test:
        symbols = ["^"] + list(record) + (["^"] if ends else [])
        for i in range(1, len(symbols)):
            shorter = 1 / predictable
            for n in range(1, order + 1):
                if i - n + 1 < 0:
                    totals[n - 1] -= math.log(shorter)
                    continue
                gram = tuple(symbols[i - n + 1 : i + 1])
                occ, cont = levels[n]
                totals[n - 1] -= math.log(occ.p(gram, shorter))
                shorter = cont.p(gram, shorter)
    return totals


TRAIN = "the cat sat on the mat\nthe rat ate the cat\nthat hat the rat ate sat on that mat\n" * 2 + "a tea\n"
TEST = "the hat sat on the rat\nteam\n"
state, words = 1, ["the ", "cat ", "sat\n", "on ", "mat ", "a ", "rats ", "ran. ", "tea "]
LONG = ""
for _ in range(400):
    state = (state * 1664525 + 1013904223) % 2**32
    LONG += words[(state >> 16) % len(words)]

cases = []
for name, train, test, ends in [
    ("one text", [TRAIN], [TEST], False),
    ("a longer text", [LONG], [TEST], False),
    ("records", LONG.split("\n"), TEST.rstrip("\n").split("\n"), True),
]:
    alphabet = len(set("".join(train)))
    predictable = alphabet + 1 + (1 if ends else 0)
    levels = fit(train, 8, ends)
    cases.append(
        {"name": name, "train": "\n".join(train), "test": "\n".join(test), "records": ends,
         "nats": score(levels, test, 8, ends, predictable)}
    )
print(json.dumps({"cases": cases}, indent=1))
