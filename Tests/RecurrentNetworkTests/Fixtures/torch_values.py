"""Writes torch_values.json: what torch.nn computes, in float64, for weights given by a closed formula.

Element i (in row-major order) of the p-th parameter is 0.4 sin(1 + 0.7 i + 1.3 p); tokens are given by formulas too, so the
Swift side can build the same without a file of weights. Needs torch (any recent version): python3 torch_values.py
"""
import json, math
import torch
import torch.nn as nn

torch.set_default_dtype(torch.float64)
V, H, E, T, B = 5, 3, 2, 4, 2


def fill(parameters):
    for p, parameter in enumerate(parameters):
        i = torch.arange(parameter.numel(), dtype=torch.float64)
        parameter.data = (0.4 * torch.sin(1 + 0.7 * i + 1.3 * p)).view(parameter.shape)


class MinGRU(nn.Module):
    """The minimal gated recurrent unit (Feng et al. 2024), from its equations: PyTorch has none."""

    def __init__(self, size, hidden, layers):
        super().__init__()
        self.hidden = hidden
        for l in range(layers):
            self.register_parameter(f"weight_ih_l{l}", nn.Parameter(torch.zeros(2 * hidden, hidden if l else size)))
            self.register_parameter(f"bias_ih_l{l}", nn.Parameter(torch.zeros(2 * hidden)))

    def forward(self, x, state):
        last = []
        for l, h in enumerate(state):
            steps = []
            for t in range(len(x)):
                z, c = (x[t] @ getattr(self, f"weight_ih_l{l}").T + getattr(self, f"bias_ih_l{l}")).split(self.hidden, -1)
                z = torch.sigmoid(z)
                h = (1 - z) * h + z * c
                steps.append(h)
            x = torch.stack(steps)
            last.append(h)
        return x, torch.stack(last)


class Ngrams(nn.Module):
    """Embeddings of the last 2 to N symbols in one table, R rows for each length, found by hash; -1 is no symbol."""

    def __init__(self, longest, rows, size):
        super().__init__()
        self.longest, self.rows = longest, rows
        self.weight = nn.Parameter(torch.zeros((longest - 1) * rows, size))

    def forward(self, x):
        word, places = 0xFFFFFFFF, []
        for t in range(len(x)):
            for b in range(len(x[0])):
                value = 0
                for back in range(self.longest):
                    symbol = int(x[t - back][b]) if t >= back else -1
                    value = ((value ^ (symbol & word)) * 0x9E3779B1) & word
                    value ^= value >> 15
                    if back: places.append((back - 1) * self.rows + value % self.rows)
        found = self.weight[torch.tensor(places)]
        return found.view(len(x), len(x[0]), self.longest - 1, -1).sum(2)


def case(cell, layers, embedding, nonlinearity, longest=0):
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN, "mingru": MinGRU}[cell]
    options = {"nonlinearity": nonlinearity} if cell == "rnn" else {}
    rnn, head = kind(embedding or V, H, layers, **options), nn.Linear(H, V)
    encoder = nn.Embedding(V, embedding) if embedding else None
    ngrams = Ngrams(longest, 11, embedding) if longest else None
    named = ([("encoder.weight", encoder.weight)] if embedding else []) + \
        ([("ngrams.weight", ngrams.weight)] if ngrams else []) + \
        [("rnn." + k, v) for k, v in rnn.named_parameters()] + [("decoder.weight", head.weight), ("decoder.bias", head.bias)]
    fill([v for _, v in named])
    x = torch.tensor([[(2 * t + 3 * b + 1) % V for b in range(B)] for t in range(T)])
    y = torch.tensor([[(3 * t + b + 2) % V for b in range(B)] for t in range(T)])
    h = torch.tensor([[[0.1 * math.cos(l + 2 * b + 3 * j) for j in range(H)] for b in range(B)] for l in range(layers)])
    c = torch.tensor([[[0.5 * math.sin(l + 2 * b + 3 * j) for j in range(H)] for b in range(B)] for l in range(layers)])
    inputs = encoder(x) if embedding else torch.eye(V)[x]
    if ngrams: inputs = inputs + ngrams(x)
    out, state = rnn(inputs, (h, c) if cell == "lstm" else h)
    logits = head(out)
    loss = nn.functional.cross_entropy(logits.view(-1, V), y.view(-1))
    loss.backward()
    last_h, last_c = state if cell == "lstm" else (state, torch.zeros(0))
    flat = lambda t: t.detach().reshape(-1).tolist()
    return {"cell": cell, "layers": layers, "embedding": embedding, "ngrams": longest, "nonlinearity": nonlinearity, "loss": loss.item(),
            "logits": flat(logits), "hidden": flat(last_h), "cellState": flat(last_c),
            "gradients": {k: flat(v.grad) for k, v in named}}


def optimizer(name, make):
    p = nn.Parameter(torch.tensor([0.5, -1.0, 2.0, 0.0]))
    o = make([p])
    values = []
    for step in range(1, 4):
        p.grad = torch.tensor([math.sin(step + 2 * i) for i in range(4)])
        o.step()
        values.append(p.detach().tolist())
    return {"name": name, "steps": values}


o = torch.optim
json.dump({
    "vocabulary": V, "hidden": H, "steps": T, "batch": B,
    "cases": [case(cell, layers, embedding, nonlinearity)
              for cell, nonlinearity in [("lstm", "tanh"), ("gru", "tanh"), ("rnn", "tanh"), ("rnn", "relu"),
                                         ("mingru", "tanh")]
              for layers, embedding in [(1, 0), (2, 0), (2, E)]] + [case("gru", 1, E, "tanh", 4), case("lstm", 2, E, "tanh", 2)],
    "optimizers": [
        optimizer("sgd", lambda p: o.SGD(p, lr=0.1, weight_decay=0.01)),
        optimizer("adam", lambda p: o.Adam(p, lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)),
        optimizer("adamw", lambda p: o.AdamW(p, lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.01)),
        optimizer("rmsprop", lambda p: o.RMSprop(p, lr=0.1, alpha=0.99, eps=1e-8, weight_decay=0.01)),
        optimizer("adagrad", lambda p: o.Adagrad(p, lr=0.1, eps=1e-10, weight_decay=0.01)),
    ]}, open("torch_values.json", "w"))
