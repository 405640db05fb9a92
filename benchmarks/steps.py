"""A training step on MNIST: gather a batch, forward, backward, SGD in place. Float32, one engine for each process.

    python -m benchmarks.steps ENGINE [ROW ...]        # a row is NET/BATCH, such as 784-100-10/32

Engines: ours (nn on Tensors); torch; jax (compiled, parameters donated); hips (autograd); mygrad; numpy (by hand, every
array allocated once); products (only the matrix products of numpy: no engine with the same BLAS can be faster). All
start from the same weights and see the same batches. Figures are microseconds.

An engine is a function that returns three functions. The first makes a step, the second waits for it and returns its
loss, the third returns the logits of images.
"""

import numpy as np

from benchmarks.common import hips as import_hips
from benchmarks.common import main, mnist, timed, weights

LR = 0.1
NETS, BATCHES = ("784-100-10", "784-512-512-10"), (1, 32, 128, 1024)
ROWS = [f"{net}/{batch}" for net in NETS for batch in BATCHES]


def batches(n, size):
    """Endless batches of shuffled rows."""
    order = np.random.default_rng(1).permutation(n)
    while True:
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def ours(x, y, sizes, rows):
    import nn

    model = nn.dense(*sizes)
    layers: list = model.layers[::2]
    for layer, w in zip(layers, weights(sizes), strict=True):
        layer.weight.data = w
    optimizer = nn.SGD(model, lr=LR)

    def step():
        batch = next(rows)
        images = x.take(batch, axis=0)
        images.setflags(write=False)  # a read-only array needs no version and no copy
        loss = nn.cross_entropy(model(images), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step, lambda loss: loss.item(), lambda images: model(images).data


def torch_network(sizes):
    """The network, and an update of it on a batch."""
    import torch

    layers = []
    for w in weights(sizes):
        linear = torch.nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T.copy()))
            linear.bias.zero_()
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def update(x, y):
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def predict(images):
        with torch.no_grad():
            return model(torch.from_numpy(images)).numpy()

    return update, predict


def torch(x, y, sizes, rows):
    import torch

    update, predict = torch_network(sizes)
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def step():
        batch = torch.from_numpy(next(rows))
        return update(x[batch], y[batch])

    return step, lambda loss: loss.item(), predict


def logits(np, params, x):
    """The network, for engines that follow NumPy's functions."""
    *hidden, (w, b) = params
    for w1, b1 in hidden:
        x = np.maximum(x @ w1 + b1, 0)
    return x @ w + b


def cross_entropy(np, params, x, one_hot):
    z = logits(np, params, x)
    z = z - np.max(z, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(z), axis=1)) - np.sum(z * one_hot, axis=1))


def jax(x, y, sizes, rows):
    import jax
    import jax.numpy as jnp

    x, one_hot = jnp.asarray(x), jax.nn.one_hot(y, 10)
    params = [(jnp.asarray(w), jnp.zeros(w.shape[1])) for w in weights(sizes)]

    def update(params, x, one_hot, batch):
        loss, grads = jax.value_and_grad(lambda p: cross_entropy(jnp, p, x[batch], one_hot[batch]))(params)
        return jax.tree.map(lambda p, g: p - LR * g, params, grads), loss

    update = jax.jit(update, donate_argnums=0)

    def step():
        nonlocal params
        params, loss = update(params, x, one_hot, next(rows))
        return loss

    predict = jax.jit(lambda params, images: logits(jnp, params, images))
    return step, lambda loss: (jax.block_until_ready(params), float(loss))[1], lambda images: predict(params, images)


def hips(x, y, sizes, rows):
    autograd, anp = import_hips()
    one_hot = np.eye(10, dtype=np.float32)[y]
    params = [(w, np.zeros(w.shape[1], np.float32)) for w in weights(sizes)]
    both = autograd.value_and_grad(lambda params, x, one_hot: cross_entropy(anp, params, x, one_hot))

    def step():
        batch = next(rows)
        loss, grads = both(params, x.take(batch, axis=0), one_hot[batch])
        for layer, layer_grads in zip(params, grads, strict=True):
            for p, g in zip(layer, layer_grads, strict=True):
                p -= LR * g
        return loss

    return step, float, lambda images: logits(np, params, images)


def mygrad(x, y, sizes, rows):
    import mygrad as mg
    from mygrad.nnet import relu, softmax_crossentropy

    mg.turn_memory_guarding_off()  # as its documentation advises for speed
    params = [(mg.tensor(w), mg.tensor(np.zeros(w.shape[1], np.float32))) for w in weights(sizes)]

    def step():
        batch = next(rows)
        h = x.take(batch, axis=0)
        for w, b in params[:-1]:
            h = relu(mg.matmul(h, w) + b)
        w, b = params[-1]
        loss = softmax_crossentropy(mg.matmul(h, w) + b, y[batch])
        loss.backward()
        for layer in params:
            for p in layer:
                p.data -= LR * p.grad
        return loss

    def predict(images):
        return logits(np, [(w.data, b.data) for w, b in params], images)

    return step, lambda loss: float(loss.data), predict


def weight_gradient(x, d, out):
    if len(x) == 1:
        np.multiply(x.T, d, out=out)  # an outer product, three times faster than asking BLAS
    else:
        np.matmul(x.T, d, out=out)


def numpy(x, y, sizes, rows):
    w = weights(sizes)
    b = [np.zeros(n, np.float32) for n in sizes[1:]]
    gw, gb = [np.empty_like(p) for p in w], [np.empty_like(p) for p in b]
    first = next(rows)
    size, last = len(first), len(w) - 1
    h = [np.empty((size, n), np.float32) for n in sizes]
    d = [np.empty((size, n), np.float32) for n in sizes]
    lines = np.arange(size)

    def step():
        batch = next(rows)
        x.take(batch, axis=0, out=h[0], mode="clip")
        for i in range(last + 1):
            np.matmul(h[i], w[i], out=h[i + 1])
            h[i + 1] += b[i]
            if i < last:
                np.maximum(h[i + 1], 0, out=h[i + 1])
        z, p, labels = h[-1], d[-1], y[batch]
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=p)
        total = p.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - z[lines, labels]).mean()
        p /= total
        p[lines, labels] -= 1
        p *= LR / size  # the gradients are larger, so scaling them would cost more
        for i in range(last, -1, -1):
            weight_gradient(h[i], d[i + 1], gw[i])
            d[i + 1].sum(axis=0, out=gb[i])
            if i:
                np.matmul(d[i + 1], w[i].T, out=d[i])
                d[i] *= h[i] > 0
            w[i] -= gw[i]
            b[i] -= gb[i]
        return loss

    return step, float, lambda images: logits(np, list(zip(w, b, strict=True)), images)


def products(x, y, sizes, rows):
    w = weights(sizes)
    gw = [np.empty_like(p) for p in w]
    size = len(next(rows))
    h = [np.ones((size, n), np.float32) for n in sizes]
    d = [np.ones((size, n), np.float32) for n in sizes]

    def step():
        for i in range(len(w)):
            np.matmul(h[i], w[i], out=h[i + 1])
        for i in range(len(w) - 1, -1, -1):
            weight_gradient(h[i], d[i + 1], gw[i])
            if i:
                np.matmul(d[i + 1], w[i].T, out=d[i])
        return 0.0

    return step, float, None


ENGINES = {"ours": ours, "torch": torch, "jax": jax, "hips": hips, "mygrad": mygrad, "numpy": numpy}
ENGINES["products"] = products


def measure(engine, row, options):
    net, batch = row.split("/")
    x, y = mnist(test=bool(options.steps))  # for a fixed number of steps the smaller file is enough
    rows = batches(len(x), int(batch))
    if engine not in ("numpy", "products"):
        next(rows)  # these two look at one batch to find its size
    step, wait, _ = ENGINES[engine](x, y, [int(n) for n in net.split("-")], rows)
    figures = timed(step, options, wait=wait)
    if engine == "products":
        del figures["loss"]
    return figures


if __name__ == "__main__":
    main("steps", ENGINES, ROWS, measure)
