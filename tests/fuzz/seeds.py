"""What do the targets begin with?

`seeds.py FOLDER` writes a corpus for each of them out of the tests' fixtures, and a dictionary.
"""

import base64
import itertools
import json
import pathlib
import re
import sys

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
FOLDER = pathlib.Path(sys.argv[1])
# By the number that the targets give to a gateway: its events, and what its libraries said of recorded deliveries. None
# of these is signed with a secret of the targets'.
EVENTS = {"stripe": "0", "paypal": "1", "braintree": "2", "paddle": "5", "gocardless": "6", "razorpay": "7", "square": "8",
          "polar": "<", "lemon_squeezy": "=", "adyen": ">", "mercado_pago": "?"}
VECTORS = {"stripe": "0", "paypal": "1", "braintree": "2", "standard_webhooks": "3", "paddle": "5", "gocardless": "6",
           "razorpay": "7", "square": "8", "authorizenet": "9", "polar": "<", "lemonsqueezy": "=", "mercadopago": "?",
           "adyen": "@", "coinbase_commerce": "A", "paystack": "B", "checkout_com": "C"}
# Those of which nothing is read but what an event is.
NAMES = {"authorizenet": "9", "coinbase_commerce": "A", "paystack": "B", "checkout_com": "C"}
# These have their ids beside the body.
NAMED = ("3", "<")
# What Adyen signs of each notification, in this order.
ADYEN = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference", "value", "currency", "eventCode",
         "success")
# The objects that PayPal's answers to our own calls are of, by the name of their type.
ANSWERED = {"checkout-order": "ORDER", "authorization": "AUTHORIZATION", "capture": "CAPTURE", "refund": "REFUND"}
# The ends of time: of the numbers that are moments, and of years with four digits, east and west of Greenwich.
NUMBERS = itertools.cycle(("-377705116800", "253402300799", "253402300800", "9223372036854775807"))
MOMENTS = itertools.cycle(("0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-23:59"))
MOMENT = re.compile(r'\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)|(?<="created": )\d+')
WORD = re.compile(r'"([A-Za-z_.-]{3,40})"|(</?[a-z_-]{3,40}>)')


def seed(target, name, content):
    folder = FOLDER / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def kinds(body):
    """The event's kind, and that of an answer which looks like it."""
    if body.lstrip().startswith("<"):
        return re.findall("<kind>([^<]+)</kind>", body)[:1]
    event = json.loads(body)
    if "eventCode" in event:
        return [event["eventCode"], "capture.answered", "refund.answered"]
    if "meta" in event:
        kind = event["meta"].get("event_name", "")
        return [kind, kind.partition("_")[0] + ".answered"]
    if "event_type" in event and "data" in event:
        return [event["event_type"], event["event_type"].partition(".")[0] + ".answered"]
    if "event" in event:
        return [event["event"], event["event"].partition(".")[0] + ".answered"]
    if "event_type" in event:
        answered = ANSWERED.get(event["resource_type"])
        return [event["event_type"], *([f"{answered}.ANSWERED"] if answered else [])]
    kind = event.get("type", "")
    return [kind, kind.rpartition(".")[0] + ".answered"]


def at_the_ends_of_time(body):
    number, moment = next(NUMBERS), next(MOMENTS)
    return MOMENT.sub(lambda found: number if found[0].isdigit() else moment, body)


def events():
    words = set()
    for company, number in EVENTS.items():
        for file in sorted((FIXTURES / "events" / company).iterdir()):
            body = file.read_text()
            words.update(filter(None, (one or other for one, other in WORD.findall(body))))
            for when, body in (("", body), ("-ends", at_the_ends_of_time(body))):
                for at, kind in enumerate(kinds(body)):
                    seed("interpret", f"{number}-{file.stem}{when}-{at}", f"{number}{kind}\n{body}")
                beside = "msg_1\n" if number in NAMED else ""
                seed("signed", f"{number}-{file.stem}{when}", number + beside + body)
    (FOLDER / "dictionary").write_text("".join(f'"{word}"\n' for word in sorted(words)))


def notification(body):
    """An input of the target `signed` with this notification of Adyen's."""
    item = json.loads(body)
    fields = {**item, **item.pop("amount")}
    signed = "\t".join(str(fields.get(name, "")) for name in ADYEN)
    others = {name: value for name, value in item.items() if name not in (*ADYEN, "additionalData")}
    return f"@{signed}\t{json.dumps(others)[1:-1]}"


def named():
    for file in sorted((FIXTURES / "events" / "adyen").iterdir()):
        whole = notification(file.read_text())
        seed("signed", f"@-{file.stem}", whole)
        seed("signed", f"@-{file.stem}-plain", whole.rpartition("\t")[0])
    two = [notification((FIXTURES / "events" / "adyen" / f"{name}.json").read_text()) for name in ("AUTHORISATION", "REFUND")]
    seed("signed", "@-two", "\n".join([two[0], two[1][1:]]))
    for company, number in NAMES.items():
        for file in sorted((FIXTURES / "events" / company).iterdir()):
            seed("signed", f"{number}-{file.stem}", number + file.read_text())


def recorded():
    for company, number in VECTORS.items():
        for at, vector in enumerate(json.loads((FIXTURES / "vectors" / f"{company}.json").read_text())):
            coded = base64.b64decode(vector.get("body_base64", ""))
            name, body = f"{number}-{at}", (vector.get("body") or coded.decode(errors="replace"))
            if "challenge" in vector:
                seed("pages", name, "0" + vector["challenge"])
                continue
            fields = "".join(f"{name.lower()}: {value}\n" for name, value in vector["headers"].items())
            query = "&".join(f"{name}={value}" for name, value in vector.get("query", {}).items())
            fields += f"?: {query}\n" if query else ""
            seed("unsigned", name, f"{number}{fields}\n{body}")
            if company != "adyen":
                seed("signed", name, f"{number}msg_{at}\n{body}" if number in NAMED else number + body)


def made():
    """What no fixture has: the dummy and its checkout, and the schemes that are nobody's."""
    refund = {"id": "dr_1", "amount": 1000}
    paid = {"id": "dp_1", "payment": "tok_1", "amount": 4999, "currency": "EUR", "refund": refund, "captured": 1000}
    for word in ("paid", "failed", "authorized", "captured", "canceled", "expired", "refunded"):
        body = json.dumps({"id": "de_1", "kind": f"payment.{word}", "created": 1791800000, "object": paid})
        seed("interpret", f"4-{word}", f"4payment.{word}\n{body}")
        seed("signed", f"4-{word}", "4" + body)
    seed("signed", "10", ':msg_1\n{"id": "1", "type": "a.b"}')
    seed("signed", "11", ';msg_1\n{"data": {"events": [{"type": "a", "version": 1}, {"type": "b", "version": "2"}]}}')
    seed("unsigned", "4", "4dummy-signature: t=1791800000,v1=" + "00" * 32 + "\n\n{}")
    seed("unsigned", "10", ":acme-id: 1\nacme-time: 1791800000\nacme-signature: sha1=AAAA\n\n{}")
    seed("unsigned", "11", ";acme-id: 1\nacme-signature: 00\n\n{}")
    link = "payment=tok_1\nreference=order 7\namount=4999\ncurrency=EUR\nreturn=https://a.example/b?c=d\ncancel=/cart\n"
    seed("pages", "opened", f"1{link}capture=manual")
    for choice in ("pay", "fail", "authorize", "walk_away"):
        seed("pages", choice, f"2{link}choice={choice}")


def certificates():
    for file in [*FIXTURES.glob("paypal/*.pem"), *FIXTURES.glob("vectors/paypal_certs/*.pem")]:
        pem = file.read_text()
        first = pem.split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
        seed("certificates", f"{file.stem}.pem", pem)
        seed("certificates", f"{file.stem}.der", base64.b64decode(first))


events()
named()
recorded()
made()
certificates()
