// What does Stripe's own library send, and what does it try again? It is pointed at a server of this process, and each
// request is written down:
//
//   npm install --prefix DIR stripe@23.1.0
//   SDKS=DIR node tests/tools/record_stripe.mjs > tests/fixtures/vectors/stripe_api_requests.json
//
// Header fields that only describe the library or the connection are left out.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.SDKS, 'package.json'));
const Stripe = require('stripe');
const KEPT = ['accept', 'content-type', 'stripe-version', 'stripe-account', 'idempotency-key', 'content-length', 'authorization'];
const FRESH = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let heard = [];
// What the server does next: null closes the connection.
let answer = { status: 200, headers: {} };
const server = createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const headers = Object.fromEntries(KEPT.filter((name) => req.headers[name]).map((name) => [name, req.headers[name]]));
    heard.push({ method: req.method, path: decodeURIComponent(req.url), headers, body: Buffer.concat(parts).toString() });
    if (!answer) return req.socket.destroy();
    const type = [401, 403].includes(answer.status) ? 'invalid_request_error' : 'api_error';
    const body = answer.status < 300 ? { id: 'x', object: 'x', data: [] } : { error: { type: answer.status === 402 ? 'card_error' : type, message: 'no' } };
    res.writeHead(answer.status, { 'content-type': 'application/json', connection: 'close', ...answer.headers });
    res.end(JSON.stringify(body));
  });
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const client = (more) => new Stripe('sk_test_123', {
  host: '127.0.0.1', port: server.address().port, protocol: 'http', telemetry: false, ...more,
});
const stripe = client({ maxNetworkRetries: 0 });

const calls = [];
async function record(call, make) {
  heard = [];
  await make();
  const [{ headers, ...request }] = heard;
  const key = headers['idempotency-key'];
  if (key) headers['idempotency-key'] = key.replace(FRESH, '<uuid4>');
  calls.push({ call, method: request.method, path: request.path, headers, body: request.body });
}

await record('checkout.sessions.create (payment)', () => stripe.checkout.sessions.create({
  mode: 'payment',
  success_url: 'https://shop.example/thanks?cs={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/cancel',
  client_reference_id: 'order-10042',
  metadata: { payment_id: '42', note: 'Zoë & Söhne' },
  line_items: [{ quantity: 2, price_data: { currency: 'eur', unit_amount: 2499, product_data: { name: 'Tasse ☕' } } }],
  payment_intent_data: { capture_method: 'manual', metadata: { payment_id: '42' } },
  expires_at: 1791803600,
}, { idempotencyKey: 'checkout-42-1' }));
await record('checkout.sessions.retrieve expanded', () => stripe.checkout.sessions.retrieve('cs_test_x', { expand: ['payment_intent.latest_charge', 'line_items'] }));
await record('checkout.sessions.expire', () => stripe.checkout.sessions.expire('cs_test_x'));
await record('checkout.sessions.list by payment_intent', () => stripe.checkout.sessions.list({ payment_intent: 'pi_x', limit: 1 }));
await record('paymentIntents.retrieve', () => stripe.paymentIntents.retrieve('pi_x'));
await record('paymentIntents.capture partial', () => stripe.paymentIntents.capture('pi_x', { amount_to_capture: 3000 }, { idempotencyKey: 'capture-42' }));
await record('paymentIntents.cancel', () => stripe.paymentIntents.cancel('pi_x', { cancellation_reason: 'requested_by_customer' }));
await record('refunds.create full', () => stripe.refunds.create({ payment_intent: 'pi_x' }, { idempotencyKey: 'refund-42-1' }));
await record('refunds.create partial', () => stripe.refunds.create({ payment_intent: 'pi_x', amount: 1999, reason: 'requested_by_customer', metadata: { payment_id: '42' } }));
await record('events.list undelivered', () => stripe.events.list({ limit: 100, delivery_success: false, created: { gte: 1791700000 }, types: ['checkout.session.completed', 'charge.refunded'], starting_after: 'evt_1' }));
await record('events.retrieve on a connected account', () => stripe.events.retrieve('evt_1', {}, { stripeAccount: 'acct_1' }));
await record('subscriptions.cancel', () => stripe.subscriptions.cancel('sub_x', { invoice_now: true, prorate: true }));
await record('subscriptions.update cancel_at_period_end', () => stripe.subscriptions.update('sub_x', { cancel_at_period_end: true }));
await record('webhookEndpoints.create', () => stripe.webhookEndpoints.create({ url: 'https://shop.example/webhooks/stripe', enabled_events: ['checkout.session.completed'], api_version: stripe.getApiField('version') }));
await record('empty string and null are both sent as empty (unset), nested arrays', () => stripe.paymentIntents.update('pi_x', { description: '', receipt_email: null, metadata: { a: '', b: 'x y+z=&' }, payment_method_types: ['card', 'sepa_debit'] }));
await record('date as unix seconds', () => stripe.events.list({ created: { gte: new Date(1000), lt: new Date(2000) } }));

const update = (params) => () => stripe.subscriptions.update('sub_x', params, { idempotencyKey: 'op_1' });
await record('checkout.sessions.create (subscription)', () => stripe.checkout.sessions.create({
  mode: 'subscription',
  success_url: 'https://shop.example/thanks',
  line_items: [{ price: 'price_1', quantity: 3 }],
  client_reference_id: 'user-42',
  metadata: { subscription_token: 'tok_1', owner: 'user-42' },
  subscription_data: { metadata: { subscription_token: 'tok_1', owner: 'user-42' } },
}, { idempotencyKey: 'tok_1-checkout' }));
await record('subscriptions.retrieve', () => stripe.subscriptions.retrieve('sub_x'));
await record('subscriptions.cancel at once', () => stripe.subscriptions.cancel('sub_x', {}, { idempotencyKey: 'op_1' }));
await record('subscriptions.update end', update({ cancel_at_period_end: true }));
await record('subscriptions.update no end', update({ cancel_at_period_end: false }));
await record('subscriptions.update no date', update({ cancel_at: '' }));
await record('subscriptions.update pause', update({ pause_collection: { behavior: 'void' } }));
await record('subscriptions.update no pause', update({ pause_collection: '' }));
await record('subscriptions.resume', () => stripe.subscriptions.resume('sub_x', { billing_cycle_anchor: 'now' }, { idempotencyKey: 'op_1_resume' }));
await record('subscriptions.update item', update({ items: [{ id: 'si_1', price: 'price_2', quantity: 2 }], proration_behavior: 'always_invoice' }));
await record('billingPortal.sessions.create', () => stripe.billingPortal.sessions.create({ customer: 'cus_1', return_url: 'https://shop.example/account' }));
await record('invoices.list of a subscription', () => stripe.invoices.list({ subscription: 'sub_x', limit: 5, expand: ['data.payments'] }));
await record('v2.core.events.list', () => stripe.v2.core.events.list({ limit: 100, created: { gte: '2026-10-11T09:46:40Z' } }));

const retries = [];
async function retried(about, wanted, maxNetworkRetries) {
  heard = [];
  answer = wanted;
  const error = await client({ maxNetworkRetries }).refunds.create({ payment_intent: 'pi_x' }).then(() => null, (failed) => failed.type);
  const keys = new Set(heard.map((request) => request.headers['idempotency-key']));
  retries.push({ ...about, attempts: heard.length, same_idempotency_key: keys.size === 1, error });
}
for (const [status, should] of [
  [200], [400], [401], [402], [403], [404], [409], [409, 'false'], [424], [429], [429, 'true'], [500], [500, 'false'],
  [500, 'true'], [400, 'true'], [502], [503], [503, 'false'], [504],
]) {
  const headers = should ? { 'stripe-should-retry': should } : {};
  await retried({ status, 'stripe-should-retry': should ?? null }, { status, headers }, 2);
}
for (const maxNetworkRetries of [0, 2]) {
  await retried({ connection: 'closed by the server before any response', maxNetworkRetries }, null, maxNetworkRetries);
}

const { version } = JSON.parse(readFileSync(join(process.env.SDKS, 'node_modules/stripe/package.json')));
const note = 'maxNetworkRetries: 2 in `retries` unless said; default of stripe-node is 2';
console.log(JSON.stringify({ sdk: `stripe-node@${version}`, note, calls, retries }, null, 1));
server.close();
