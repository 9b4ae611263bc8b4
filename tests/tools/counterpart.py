"""What would a stranger's Stripe do? Serves localstripe, a fake of Stripe's API that others wrote, until stdin ends.

The first line in, whatever it says, is answered with the address. Its paths, its rules, its objects, and how it signs
and delivers are localstripe's own. What Stripe always sends and localstripe lacks is made here out of its own state:
  - the amounts of an intent that can be captured and that came in, and how much of a charge was captured;
  - the events of an authorization, a cancellation and a refund, which it then signs and delivers like its others;
  - the reason of a cancellation, which it refuses;
  - the event of a subscription that was changed.
"""

import os
import socket
import sys
import threading

from aiohttp import web
from localstripe import resources
from localstripe.resources import Charge, Event, PaymentIntent, Refund, Subscription, schedule_webhook


def tell(kind, about):
    schedule_webhook(Event(kind, about))


# --- Amounts

captured_by_localstripe = Charge._capture


def capture(charge, amount, on_success=None):
    def succeeded():
        charge._part = charge.amount if amount is None else int(amount)
        if on_success:
            on_success()

    captured_by_localstripe(charge, amount, succeeded)


def amount_captured(charge):
    took = charge.captured and charge.status == "succeeded"
    return getattr(charge, "_part", charge.amount) if took else 0


def amount_received(intent):
    return intent.latest_charge.amount_captured if intent.latest_charge else 0


def amount_capturable(intent):
    return intent.amount if intent.status == "requires_capture" else 0


Charge._capture = capture
Charge.amount_captured = property(amount_captured)
PaymentIntent.amount_received = property(amount_received)
PaymentIntent.amount_capturable = property(amount_capturable)

# --- Events

confirmed_by_localstripe = PaymentIntent._confirm


def confirm(intent, on_failure_now):
    confirmed_by_localstripe(intent, on_failure_now)
    if intent.status == "requires_capture":
        tell("payment_intent.amount_capturable_updated", intent)


canceled_by_localstripe = PaymentIntent._api_cancel


def cancel(cancellation_reason=None, **data):
    intent = canceled_by_localstripe(**data)
    intent.cancellation_reason = cancellation_reason
    tell("payment_intent.canceled", intent)
    return intent


def refund(cls, **data):
    made = cls(**data)
    tell("refund.created", made)
    tell("charge.refunded", Charge._api_retrieve(made.charge))
    return made


changed_by_localstripe = Subscription._api_update.__func__


def change(cls, id, **data):
    subscription = changed_by_localstripe(cls, id, **data)
    tell("customer.subscription.updated", subscription)
    return subscription


Subscription._api_update = classmethod(change)
PaymentIntent._confirm = confirm
Refund._api_create = classmethod(refund)
resources.extra_apis[:] = [
    (method, path, cancel if path == "/v1/payment_intents/{id}/cancel" else act)
    for method, path, act in resources.extra_apis
]
# It would keep all it knows in one file of /tmp, whoever else does so too.
resources.Store.dump_to_disk = lambda store: None


def main():
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdin.readline()
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    # The server reads its routes as it is imported, so all of the above comes first.
    from localstripe.server import app

    web.run_app(app, sock=listening, print=None)


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


main()
