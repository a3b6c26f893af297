"""Gradient flow and memory by PyTorch in float64, for InspectionTests: python gradient_flow.py > gradient_flow.json"""

import json
import torch

torch.set_default_dtype(torch.float64)
H, E, L, SYMBOLS, LENGTH, LAG = 5, 3, 2, 6, 90, 12
V = SYMBOLS + 2
POSITIONS = list(range(LAG + 1, LENGTH))
CONTEXTS = [0, 1, 2, 5, 20, 89, 200]
GATES = {"gru": 3, "lstm": 4, "rnn": 1, "mingru": 2}


def random(*shape):
    # Representable in 32 bits.
    return (torch.rand(*shape) * 1.4 - 0.7).float().double()


def step(cell, x, state, w):
    h, c = state
    a = x @ w["weight_ih"].T + w["bias_ih"]
    if cell == "mingru":
        z, candidate = torch.sigmoid(a[:H]), a[H:]
        return (1 - z) * h + z * candidate, None
    b = h @ w["weight_hh"].T + w["bias_hh"]
    if cell == "rnn":
        return torch.tanh(a + b), None
    if cell == "gru":
        r, z = torch.sigmoid(a[:H] + b[:H]), torch.sigmoid(a[H : 2 * H] + b[H : 2 * H])
        n = torch.tanh(a[2 * H :] + r * b[2 * H :])
        return (1 - z) * n + z * h, None
    i, f, g, o = (a + b).split(H)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    if c.requires_grad:
        c.retain_grad()
    return torch.sigmoid(o) * torch.tanh(c), c


def logits(cell, tensors, read, states, seen=None):
    for symbol in read:
        x = tensors["encoder.weight"][symbol]
        for layer in range(L):
            w = {name.split(".")[1][:-3]: tensor for name, tensor in tensors.items() if name.endswith(f"_l{layer}")}
            h, c = step(cell, x, states[layer], w)
            if h.requires_grad:
                h.retain_grad()
            states[layer], x = (h, c), h
        if seen is not None:
            seen.append(list(states))
    return x @ tensors["decoder.weight"].T + tensors["decoder.bias"]


def zeros():
    return [(torch.zeros(H), torch.zeros(H)) for _ in range(L)]


@torch.no_grad()
def memory(cell, tensors, text):
    def nats(t, k):
        read = [SYMBOLS] if k == 0 else [SYMBOLS] + text[:t] if k >= t else text[t - k : t]
        return -torch.log_softmax(logits(cell, tensors, read, zeros()), 0)[text[t]].item()

    return [{"context": k, "nats": sum(nats(t, k) for t in range(LENGTH)) / LENGTH} for k in CONTEXTS]


def flow(cell):
    tensors = {"encoder.weight": random(V, E), "decoder.weight": random(V, H), "decoder.bias": random(V)}
    for layer in range(L):
        n, k = GATES[cell] * H, E if layer == 0 else H
        tensors[f"rnn.weight_ih_l{layer}"], tensors[f"rnn.bias_ih_l{layer}"] = random(n, k), random(n)
        if cell != "mingru":
            tensors[f"rnn.weight_hh_l{layer}"], tensors[f"rnn.bias_hh_l{layer}"] = random(n, H), random(n)
    text = torch.randint(0, SYMBOLS, (LENGTH,)).tolist()
    inputs = [SYMBOLS] + text[:-1]
    sums = {}
    for t in POSITIONS:
        for tensor in tensors.values():
            tensor.requires_grad_(True)
        seen = []
        predicted = logits(cell, tensors, inputs[: t + 1], zeros(), seen)
        (-torch.log_softmax(predicted, 0)[text[t]]).backward()
        for lag in range(LAG + 1):
            for layer in range(L):
                for name, state in zip("hc", seen[t - lag][layer]):
                    if state is not None:
                        sums.setdefault((layer, name, lag), []).append(state.grad.norm().item())
        for tensor in tensors.values():
            tensor.grad = None
    return {
        "cell": cell,
        "text": "".join("abcdef"[symbol] for symbol in text),
        "tensors": {name: {"shape": list(t.shape), "elements": t.detach().flatten().tolist()} for name, t in tensors.items()},
        "memory": memory(cell, tensors, text),
        "norms": [
            {"layer": layer, "state": name, "lag": lag, "norm": sum(v) / len(v)} for (layer, name, lag), v in sums.items()
        ],
    }


torch.manual_seed(5)
print(json.dumps({"hidden": H, "embedding": E, "layers": L, "lag": LAG, "cases": [flow(cell) for cell in GATES]}))
