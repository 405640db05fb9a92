"""Print figures as Markdown: a line for each row and figure, a column for each engine, and two kinds of ratios."""

import statistics

UNITS = ("µs", "ms", "s", "ns a node")


def print_table(table, rows, figures, failures):
    """`figures` by engine, row and name, a number for each process; `failures` by engine."""
    names = list(figures)
    peers = [name for name in table.engines if not name.startswith("ours")]
    heads = [*names, "ours / best peer", *(f"ours / {bound}" for bound in table.bounds)]
    print("| | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for row in rows:
        unit = unit_of(row, figures)
        if unit is None:
            continue
        cells = [cell(figures[name].get(row), unit) or short(failures.get(name, "")) for name in names]
        ratios = [best(row, unit, peers, figures), *(ratio(row, unit, bound, figures) for bound in table.bounds)]
        print_line(f"{row}, {unit}", [*cells, *ratios])
    others = dict.fromkeys(key for by_row in figures.values() for numbers in by_row.values() for key in numbers)
    for key in [key for key in others if key not in (*UNITS, "least", "loss")]:
        for row in rows:
            cells = [plain(figures[name].get(row, {}).get(key)) for name in names]
            if any(cells):
                print_line(f"{row}, {key}", [*cells, *[""] * (len(heads) - len(names))])
    for name, reason in failures.items():
        print(f"\n{name}: {reason}")
    for row in rows:
        computing = {name: by_row for name, by_row in figures.items() if name != "interpreter"}
        losses = {name: by_row[row]["loss"][0] for name, by_row in computing.items() if "loss" in by_row.get(row, {})}
        if losses and max(losses.values()) - min(losses.values()) > 1e-3 * abs(max(losses.values())):
            print(f"\nThe losses of {row} differ, so these engines did not do the same: {losses}")


def print_line(label, cells):
    print(f"| {label} | " + " | ".join(cells) + " |")


def unit_of(row, figures):
    """The unit in which a row's times are."""
    for by_row in figures.values():
        for unit in UNITS:
            if unit in by_row.get(row, {}):
                return unit
    return None


def pair(row, unit, name, figures):
    """An engine's median and its smallest time, or None."""
    numbers = figures[name].get(row)
    return (statistics.median(numbers[unit]), min(numbers["least"])) if numbers else None


def best(row, unit, peers, figures):
    found = {name: pair(row, unit, name, figures) for name in peers if figures[name].get(row)}
    if not found:
        return ""
    name = min(found, key=found.__getitem__)
    return f"{ratio(row, unit, name, figures)} {name}".strip()


def ratio(row, unit, name, figures):
    ours, other = pair(row, unit, "ours", figures), pair(row, unit, name, figures)
    return f"{ours[0] / other[0]:.2f} ({ours[1] / other[1]:.2f})" if ours and other else ""


def cell(numbers, unit):
    return f"{digits(statistics.median(numbers[unit]))} ({digits(min(numbers['least']))})" if numbers else ""


def plain(numbers):
    return digits(statistics.median(numbers)) if numbers else ""


def digits(x):
    """A number with three significant digits, without a power of ten."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def short(reason):
    return reason if reason in ("", "not installed") else "not measured"
