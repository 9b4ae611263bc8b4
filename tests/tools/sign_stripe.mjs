// How does Stripe's SDK for Node sign a body, and which signatures does it accept?
//
// One JSON object per line in, one line out, until stdin ends:
//   {"secret", "timestamp", "body"}  ->  the Stripe-Signature header
//   {"secret", "header", "body"}     ->  "accepted" or "refused: why" (the age is not looked at)
// What can't be answered is answered "error: why". TEST_TOOLS is the folder that holds node_modules.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.TEST_TOOLS}/package.json`);
const { webhooks } = require('stripe');

function sign({ secret, timestamp, body }) {
  return webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
}

function verify({ secret, header, body }) {
  try {
    webhooks.signature.verifyHeader(body, header, secret, 0);
    return 'accepted';
  } catch (error) {
    if (error.type !== 'StripeSignatureVerificationError') throw error;
    return `refused: ${oneLine(error.message)}`;
  }
}

function oneLine(text) {
  return String(text).replace(/\s+/g, ' ').trim();
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = 'header' in request ? verify(request) : sign(request);
  } catch (error) {
    answer = `error: ${oneLine(error.message)}`;
  }
  process.stdout.write(`${answer}\n`);
}
