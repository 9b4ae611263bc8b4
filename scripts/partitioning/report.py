"""One table of all that was measured, each line also as soon as it is known."""
from .server import say


class Report:
    COLUMNS = ("Postgres, as today", "Postgres, by ranges of ids", "SQLite")

    def __init__(self):
        self.lines, self.compared = {}, set()

    def cell(self, name, column, value):
        self.lines.setdefault(name, [None] * len(self.COLUMNS))[column] = value
        say(f"{name}; {self.COLUMNS[column]}: {shown(value)}")

    def compare(self, name, values, unit):
        """As today and by ranges."""
        name = f"{name}{', ' if unit else ''}{unit}"
        for column, value in enumerate(values):
            self.compare_at(name, column, value)

    def compare_at(self, name, column, value):
        self.compared.add(name)
        self.cell(name, column, value)

    def only(self, name, today, ranges, unit):
        for column, value in enumerate((today, ranges)):
            if value is not None:
                self.cell(f"{name}, {unit}", column, value)

    def print(self):
        print(f"| | {' | '.join(self.COLUMNS)} | ratio of both |\n|---|{'---|' * (len(self.COLUMNS) + 1)}")
        for name, values in self.lines.items():
            today, ranges = values[:2]
            ratio = f"{ranges / today:.2f}" if name in self.compared and today else ""
            print(f"| {name} | {' | '.join(map(shown, values))} | {ratio} |")


def shown(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
