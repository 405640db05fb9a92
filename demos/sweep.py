"""What matters when a small network learns 8×8 digits? Seven experiments; a stopped one continues.

The base is a network of 64-10-10 with sigmoid, weights uniform ±0.01, one sample a step, learning rate 0.1, 15 epochs.
``python -m demos.sweep`` varies its hidden size, learning rate, initialisation, activation, depth, momentum and
minibatches. It trains each setting from two seeds, in parallel processes, prints a table and draws ``sweep.png``.
Finished trials are kept in ``sweep.db`` (an Optuna study). After an interruption, even a kill, the same command
continues from there.
"""

import argparse
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import nn
from demos import digits
from demos._command import number, parser, tell
from demos._pictures import pictures
from demos.mnist import ACTIVATIONS
from nn.data import Batches, Dataset
from nn.init import normal, uniform, xavier_uniform, zeros
from nn.support.canvas import BLUES, GREY, INK, LINE, ORANGES, matplotlib
from nn.support.extras import optional

Settings: TypeAlias = dict[str, Any]
Result: TypeAlias = dict[str, float]  # the figures of a trained network; empty if it diverged

INITS = {"zeros": zeros, "uniform 0.01": uniform(-0.01, 0.01), "uniform 1": uniform(-1, 1), "normal 0.01": normal(0.01),
         "normal 0.3": normal(0.3), "xavier": xavier_uniform}  # fmt: skip
BASE: Settings = {"hidden": 10, "lr": 0.1, "init": "uniform 0.01", "activation": "sigmoid", "layers": 1,
                  "momentum": 0.0, "batch": 1}  # fmt: skip
EXPERIMENTS: dict[str, dict[str, Sequence[Any]]] = {
    "hidden size": {"hidden": (2, 5, 10, 20, 50, 100)},
    "learning rate": {"lr": (0.001, 0.01, 0.1, 0.3, 1.0)},
    "initialisation": {"init": tuple(INITS)},
    "activation": {"activation": ("sigmoid", "tanh", "relu", "gelu"), "lr": (0.01, 0.1)},
    "depth": {"layers": (0, 1, 2), "init": ("uniform 0.01", "xavier")},
    "momentum": {"momentum": (0.0, 0.5, 0.9), "lr": (0.01, 0.1)},
    "minibatches": {"batch": (1, 8, 32, 128), "lr": (0.1, 1.0)},
}
QUICK: dict[str, dict[str, Sequence[Any]]] = {"minibatches": {"batch": (32, 128), "lr": (0.1, 1.0)}}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with these arguments. Returns the exit code."""
    return tell(run, parse(argv), interrupted="interrupted: the same command continues from here", goes_on=True)


def run(options: argparse.Namespace) -> None:
    """Train the settings without a result, print the table, and draw."""
    experiments = {
        name: [settings(options, dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
        for name, grid in options.experiments.items()
    }
    seeds = range(options.seed, options.seed + options.repeats)
    trials = {
        key(s | {"seed": seed}): s | {"seed": seed} for grid in experiments.values() for s in grid for seed in seeds
    }
    store = Store(options.out / "sweep.db")
    found = store.results()
    missing = [trial for k, trial in trials.items() if k not in found]
    print(f"{len(trials)} networks to train, {len(trials) - len(missing)} of them trained before", flush=True)
    data, _ = digits.load()
    start = time.perf_counter()
    for i, (trial, result) in enumerate(trained(missing, data, options.processes), 1):
        store.add(trial, result)
        found[key(trial)] = result
        if sys.stderr is not None and sys.stderr.isatty():
            print(f"\r{i}/{len(missing)}", end="", file=sys.stderr)
    print(f"trained {len(missing)} in {time.perf_counter() - start:.0f} s", flush=True)

    tables = {
        name: {label(s, EXPERIMENTS[name]): [found[key(s | {"seed": seed})] for seed in seeds] for s in grid}
        for name, grid in experiments.items()
    }
    for name, rows in tables.items():
        print(f"\n{name:<31}{'train loss':>10}{'accuracy':>10}{'test loss':>11}{'accuracy':>10}{'seconds':>9}")
        for setting, results in rows.items():
            print(f"  {setting:<29}{line(results)}")
    print()
    pictures(options.out, {"sweep.png": lambda: picture(tables)})


def settings(options: argparse.Namespace, changed: Settings) -> Settings:
    """The base with some settings changed. Without hidden layers, settings that have no effect get one fixed value."""
    found = BASE | changed | {"epochs": options.epochs}
    return found | {"hidden": BASE["hidden"], "activation": BASE["activation"]} if not found["layers"] else found


def key(trial: Settings) -> tuple[Any, ...]:
    """A key for a trial, which does not depend on the order of its settings."""
    return tuple(sorted(trial.items()))


def label(s: Settings, grid: dict[str, Sequence[Any]]) -> str:
    """How some settings differ from the base. The base itself is marked."""
    marked = " *" if all(s[name] == BASE[name] for name in BASE) else ""
    return ", ".join(s[name] if isinstance(s[name], str) else f"{name} {s[name]}" for name in grid) + marked


def line(results: Sequence[Result]) -> str:
    """Means over the seeds as a row of the table."""
    if not all(results):
        return f"{sum(not r for r in results)} of {len(results)} diverged"
    means = {name: float(np.mean([r[name] for r in results])) for name in results[0]}
    return (
        f"{means['train_loss']:>10.4f}{means['train_accuracy']:>10.3f}{means['test_loss']:>11.4f}"
        f"{means['test_accuracy']:>10.3f}{means['seconds']:>9.2f}"
    )


# ------------------------------------------------------------------------------------------------- one trial


def network(trial: Settings, rng: np.random.Generator) -> nn.Sequential:
    """The untrained network of some settings."""
    hidden, activation = [trial["hidden"]] * trial["layers"], ACTIVATIONS[trial["activation"]]
    return digits.network(*hidden, activation=activation, init=INITS[trial["init"]], seed=rng)


def train(trial: Settings, data: Dataset) -> Result:
    """Train one network. Equal settings give equal figures (but for the seconds). They are empty if it diverges."""
    weights_rng, order_rng = np.random.default_rng(trial["seed"]).spawn(2)
    model = network(trial, weights_rng)
    optimizer = nn.SGD(model.parameters(), lr=trial["lr"], momentum=trial["momentum"])
    batches = Batches(data.train_x, data.train_y, batch_size=trial["batch"], seed=order_rng)
    start = time.perf_counter()
    try:
        history = nn.fit(model, batches, nn.cross_entropy, optimizer, epochs=trial["epochs"], progress=False)
    except nn.NonFiniteLoss:
        return {}
    if history.stopped:  # by Ctrl-C; an incomplete training gives no result
        raise KeyboardInterrupt
    seconds = time.perf_counter() - start
    return digits.measured(model, data) | {"seconds": seconds}


def trained(trials: Sequence[Settings], data: Dataset, processes: int) -> Iterator[tuple[Settings, Result]]:
    """Yield each trial with its result, as it finishes."""
    if processes == 1 or len(trials) < 2:
        yield from ((trial, train(trial, data)) for trial in trials)
        return
    spawn = get_context("spawn")  # a forked process would share files that libraries have open
    with ProcessPoolExecutor(processes, spawn, follow) as pool:
        try:
            waiting = {pool.submit(train, trial, data): trial for trial in trials}
            yield from ((waiting[done], done.result()) for done in as_completed(waiting))
        finally:
            pool.shutdown(cancel_futures=True)


def follow() -> None:
    """Make this process end with its parent, even if that is killed. Ctrl-C is handled by the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Store:
    """Finished trials as an Optuna study in an SQLite file. A trial is stored whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.optuna = optional("optuna", "sweeps are kept by Optuna", "pip install 'chainrule[sweep]'")
        self.optuna.logging.set_verbosity(self.optuna.logging.WARNING)
        from sqlalchemy.pool import NullPool  # comes with Optuna; closes each connection after its use

        storage = self.optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs={"poolclass": NullPool})
        self.study = self.optuna.create_study(
            study_name="digits", storage=storage, direction="maximize", load_if_exists=True
        )

    def add(self, trial: Settings, result: Result) -> None:
        """Store a trial. A trial that diverged is stored as failed."""
        kinds, states = self.optuna.distributions, self.optuna.trial.TrialState
        choices = {"init": list(INITS), "activation": list(ACTIVATIONS)}
        distributions = {
            name: kinds.CategoricalDistribution(choices[name])
            if name in choices
            else kinds.IntDistribution(0, 2**31)
            if isinstance(value, int)
            else kinds.FloatDistribution(0.0, 1e6)
            for name, value in trial.items()
        }
        self.study.add_trial(
            self.optuna.trial.create_trial(
                state=states.COMPLETE if result else states.FAIL,
                value=result.get("test_accuracy"),
                params=trial,
                distributions=distributions,
                user_attrs=result,
            )
        )

    def results(self) -> dict[tuple[Any, ...], Result]:
        """The results of all finished trials, by trial."""
        return {key(trial.params): trial.user_attrs for trial in self.study.trials}


# ------------------------------------------------------------------------------------------------ the picture


def picture(tables: dict[str, dict[str, list[Result]]]) -> Any:
    """Draw the wrong test images of each setting: a dot for each seed, and a bar at their mean."""
    columns = min(4, len(tables))
    rows = -(-len(tables) // columns)
    figure = matplotlib("figure").Figure(figsize=(4.0 * columns, 0.5 + 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for ax in grid.flat[len(tables) :]:
        ax.remove()
    for ax, (name, table) in zip(grid.flat, tables.items(), strict=False):
        for y, results in enumerate(table.values()):
            wrong = [max(100 * (1 - r["test_accuracy"]), 1.1) for r in results if r]  # on a logarithmic axis
            colour = ORANGES[3] if list(table)[y].endswith("*") else BLUES[1]
            ax.axhline(y, color=LINE, linewidth=0.6, zorder=0)
            ax.plot(wrong, [y] * len(wrong), "o", color=colour, alpha=0.45, markersize=6, markeredgewidth=0)
            if wrong:
                ax.plot([np.mean(wrong)], [y], "|", color=colour, markersize=15, markeredgewidth=2.5)
            else:
                ax.text(0.5, y, "diverged", color=GREY, ha="center", va="center", transform=ax.get_yaxis_transform())
        ax.set_yticks(range(len(table)), [text.removesuffix(" *") for text in table], color=INK)
        ax.set(ylim=(len(table) - 0.5, -0.5), xscale="log", xlim=(1, 110))
        ax.set_title(name, loc="left", color=INK)
        ax.xaxis.set_major_locator(matplotlib("ticker").FixedLocator([1, 2, 5, 10, 20, 50, 100]))
        ax.xaxis.set_minor_locator(matplotlib("ticker").NullLocator())
        ax.xaxis.set_major_formatter("{x:g}")
        ax.tick_params(axis="x", colors=GREY, labelbottom=True)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color=LINE, linewidth=0.6)
        ax.spines[["top", "left", "right"]].set_visible(False)
    said = "% of the test images that are wrong: a dot for each seed, a bar at the mean; the base is orange"
    figure.supxlabel(textwrap.fill(said, 40 * columns), color=GREY)
    return figure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse and check the options."""
    options = parser("sweep", __doc__, of="the first seed (%(default)s)",
                     quick="minibatches, one epoch, in this process")  # fmt: skip
    options.set_defaults(out=Path("runs/sweep"))
    add, count = options.add_argument, number(int, 1)
    names = ", ".join(EXPERIMENTS)
    add("--experiments", nargs="+", choices=EXPERIMENTS, metavar="NAME", help=f"some of: {names} (all)")
    add("--epochs", type=count, default=15, metavar="N", help="times through the training images (%(default)s)")
    add("--repeats", type=count, default=2, metavar="N", help="seeds for each setting (%(default)s)")
    add("--processes", type=count, default=os.cpu_count(), metavar="N", help="number of processes (%(default)s)")
    found = options.parse_args(argv)
    found.experiments = {name: EXPERIMENTS[name] for name in found.experiments or EXPERIMENTS}
    if found.quick:
        found.experiments, found.epochs, found.processes = QUICK, 1, 1
    return found


if __name__ == "__main__":
    sys.exit(main())
