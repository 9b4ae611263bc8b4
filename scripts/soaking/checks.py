"""What must hold of all that a shop has acknowledged."""
import time

from .shops import fail


def lost_or_doubled(load, database):
    """Of what is acknowledged: each is there, and none did its payment twice. Answers how many there are."""
    with load.lock:
        known = list(load.acknowledged)
    stored = {row[0] for row in database.rows("SELECT gateway_event_id FROM pay_events")}
    missing = [number for number in known if f"evt_soak_{number}" not in stored]
    if missing:
        fail(f"{len(missing)} acknowledged events are lost: {missing[:10]}")
    twice = database.rows("SELECT payment_id, count(*) FROM pay_transitions GROUP BY payment_id HAVING count(*) > 1")
    if twice:
        fail(f"payments changed twice: {twice[:10]}")
    return len(known)


def settled(load, database):
    """Everything is processed: one step to paid, and the order is marked, and has its receipt."""
    open_events = "SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')"
    begun = time.monotonic()
    while waiting := int(database.rows(open_events)[0][0]):
        if time.monotonic() - begun > 180:
            fail(f"{waiting} events are not processed")
        time.sleep(1)
    paid = {row[0] for row in database.rows("SELECT token FROM shop_orders WHERE status = 'paid' AND receipts >= 1")}
    unpaid = [token for token in load.acknowledged.values() if token not in paid]
    if unpaid:
        fail(f"orders are not marked: {unpaid[:10]}")
