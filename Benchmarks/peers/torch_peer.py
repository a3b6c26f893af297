"""The same as `benchmarks CELL LAYERS HIDDEN BATCH WINDOW PRECISION` with torch.nn, and the same JSON.

bfloat16: autocast of the forward pass and the loss, as PyTorch's documentation recommends."""
import json, os, resource, sys, time
import torch
from torch import nn

cell, (layers, hidden, batch, window) = sys.argv[1], map(int, sys.argv[2:6])
size, threads = 67, os.cpu_count()
rounds = sys.argv[6] == "bfloat16"
torch.manual_seed(0)
torch.set_num_threads(threads)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

network = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell](size, hidden, layers)
decoder = nn.Linear(hidden, size)
parameters = [*network.parameters(), *decoder.parameters()]
optimizer = torch.optim.AdamW(parameters, lr=1e-3, fused=True)
one_hot = torch.eye(size)
inputs = torch.randint(size, (window, batch))
targets = torch.randint(size, (window * batch,))


def detached(state):
    if state is None:
        return None
    return tuple(part.detach() for part in state) if cell == "lstm" else state.detach()


def train(state):
    with torch.autocast("cpu", torch.bfloat16, enabled=rounds):
        output, state = network(one_hot[inputs], detached(state))
        loss = nn.functional.cross_entropy(decoder(output).flatten(0, 1), targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return state


def rate(work, seconds, symbols):
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return symbols / sorted(times)[len(times) // 2]


state = None
for _ in range(3):
    state = train(state)


def step():
    global state
    state = train(state)


training = rate(step, 5, window * batch)
megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6

with torch.inference_mode():
    carried, symbol = None, torch.zeros(1, 1, dtype=torch.long)

    def draw():
        global carried, symbol
        output, carried = network(one_hot[symbol], carried)
        symbol = torch.multinomial(torch.softmax(decoder(output[-1]) / 0.8, -1), 1)

    for _ in range(20):
        draw()
    sampling = rate(draw, 1, 1)

    chunk = torch.randint(size, (257,))
    reading = None

    def score():
        global reading
        output, reading = network(one_hot[chunk[:-1]].unsqueeze(1), reading)
        nn.functional.cross_entropy(decoder(output[:, 0]), chunk[1:], reduction="sum").item()

    scoring = rate(score, 1, 256)
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    product = rate(lambda: torch.mm(a, b), 1, 1)

gates = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
weights = sum(p.numel() for p in parameters) - size * gates * hidden
print(json.dumps({
    "training": training, "sampling": sampling, "scoring": scoring, "megabytes": megabytes,
    "peak_gflops": 2 * 2048**3 * product / 1e9, "training_gflops": 6 * weights * training / 1e9,
}))
