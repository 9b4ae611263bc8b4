"""How does Stripe's SDK for Python sign a body, and which signatures does it accept?

One JSON object per line in, one line out, until stdin ends:
  {"secret", "timestamp", "body"}  ->  the Stripe-Signature header
  {"secret", "header", "body"}     ->  "accepted" or "refused: why" (the age is not looked at)
What can't be answered is answered "error: why".
"""

import json
import sys

import stripe


def sign(request):
    return stripe.WebhookSignature.generate_signature_header(
        request["body"], request["secret"], timestamp=request["timestamp"]
    )


def verify(request):
    try:
        stripe.WebhookSignature.verify_header(request["body"], request["header"], request["secret"])
        return "accepted"
    except stripe.SignatureVerificationError as error:
        return f"refused: {one_line(error)}"


def one_line(text):
    return " ".join(str(text).split())


def main():
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = verify(request) if "header" in request else sign(request)
        except Exception as error:  # Whatever went wrong belongs in the answer: silence would hang the test.
            answer = f"error: {type(error).__name__} {one_line(error)}"
        print(answer, flush=True)


main()
