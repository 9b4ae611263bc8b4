# When did it happen? Moves each payment of a seeded shop, with its events, as far into the past as a file says.
#
# spread.py DATABASE AGES: AGES is a JSON object, payment token -> seconds.

import json
import sqlite3
import sys
from datetime import datetime, timedelta, timezone

def moment(text):
    return datetime.fromisoformat(text)


def move(table, columns, where, value, by):
    """Moves moments by a span."""
    found = database.execute(f"SELECT id, {', '.join(columns)} FROM {table} WHERE {where} = ?", [value]).fetchall()
    for row, *texts in found:
        for column, text in zip(columns, texts):
            if text is not None:
                moved = (moment(text) + by).isoformat(sep=" ", timespec="microseconds")
                database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [moved, row])


database = sqlite3.connect(sys.argv[1])
with open(sys.argv[2]) as file:
    ages = json.load(file)
for token, age in ages.items():
    (payment,) = database.execute("SELECT id FROM pay_payments WHERE token = ?", [token]).fetchone()
    move("pay_payments", ["created_at", "updated_at"], "id", payment, timedelta(seconds=-age))
    events = database.execute("SELECT id, variant, received_at, occurred_at FROM pay_events WHERE payment_id = ?", [payment])
    for event, variant, received, occurred in events.fetchall():
        # What comes from another company comes a second after it happened there.
        by = timedelta(seconds=-age)
        if variant == "stripe":
            by = moment(occurred) - moment(received) + timedelta(seconds=1)
        else:
            move("pay_events", ["occurred_at"], "id", event, by)
        move("pay_events", ["received_at", "last_delivered_at", "finished_at"], "id", event, by)
        move("pay_transitions", ["created_at"], "event_id", event, by)
        move("pay_attempts", ["started_at", "finished_at"], "event_id", event, by)

# A dozen payments make a flat chart; the counters get the month of a shop with customers, busy in the evening.
ADD = (
    "INSERT INTO pay_hours VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount"
)
this_hour = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
for back in range(1, 30 * 24):
    hour = this_hour - timedelta(hours=back)
    busy = max(0, 14 - abs(hour.hour - 18)) * (3 if hour.weekday() < 5 else 2) + back * 7 % 5
    failed = 2 if back % 17 == 3 else 0
    counts = {"received": busy, "completed": busy * 3 // 4, "ignored": busy - busy * 3 // 4, "retryable": failed}
    counts["duplicate"] = busy // 20
    rows = [("stripe", outcome, "", count, 0) for outcome, count in counts.items() if count]
    money = [("paid", "EUR", 4999 * busy), ("refunded", "EUR", 1250 * (busy // 9)), ("paid", "JPY", 980 * (busy // 6))]
    rows += [("stripe", outcome, currency, 1, amount) for outcome, currency, amount in money if amount]
    moment_of = hour.isoformat(sep=" ")
    if back > 24:
        steps = {"subscription_started": back % 9 == 2, "subscription_ended": back % 31 == 5, "subscription_past_due": back % 47 == 9}
        rows += [("stripe", outcome, "", busy // 8, 0) for outcome, is_so in steps.items() if is_so and busy >= 8]
    for variant, outcome, currency, count, amount in rows:
        database.execute(ADD, [moment_of, variant, outcome, currency, count, amount, moment_of])
database.commit()
