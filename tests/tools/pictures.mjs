// What does the admin look like in a shop that is open? Fills the example shop, and draws its pages.
//
//   pictures.mjs seed AGES      buys a dozen things, each with an ending of its own, and subscribes as often; writes how
//                               long ago each was
//   pictures.mjs answer BIND    is a Stripe that has nothing new, until it is stopped
//   pictures.mjs draw FOLDER    makes the pictures, through browser.mjs
//
// BIND, STRIPE_WEBHOOK_SECRET and ADMIN_PASSWORD are the shop's.

import { createHash, createHmac } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { readFileSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url).pathname;
const shop = `http://${process.env.BIND}`;
const auth = { user: 'admin', password: process.env.ADMIN_PASSWORD };
const secrets = process.env.STRIPE_WEBHOOK_SECRET.split(',');
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

// Oldest first: item, its price in the shop, how long ago, email, and the events or the choice at the dummy gateway.
const PURCHASES = [
  ['teapot', 3250, 5 * DAY, 'lin.wei@example.com', ['checkout.session.completed', 'payment_intent.succeeded', 'charge.succeeded', 'charge.refunded.full']],
  ['cup', 1800, 4 * DAY, 'amara@example.org', ['checkout.session.expired']],
  ['kettle', 4999, 3 * DAY, 'jenny.rosen@example.com', ['payment_intent.payment_failed', 'checkout.session.completed', 'payment_intent.succeeded', 'charge.succeeded', 'charge.refunded.partial', 'charge.dispute.created']],
  ['teapot', 3250, 2 * DAY, 'omar.haddad@example.com', ['checkout.session.completed', 'payment_intent.succeeded']],
  ['kettle', 4999, DAY, 'office@teahouse.example', ['checkout.session.completed', 'payment_intent.succeeded', 'charge.succeeded']],
  ['cup', 1800, 9 * HOUR, null, 'fail'],
  ['kettle', 4999, 7 * HOUR, 'noor@example.net', ['checkout.session.async_payment_failed']],
  ['cup', 1800, 5 * HOUR, null, 'authorize'],
  ['teapot', 3250, 3 * HOUR, 'sven@example.se', ['checkout.session.completed', 'charge.succeeded', 'charge.refunded.partial']],
  // The price of before: less than what is due.
  ['teapot', 2950, 2 * HOUR, 'ida.holm@example.dk', ['checkout.session.completed', 'charge.succeeded']],
  ['kettle', 4999, 48 * MINUTE, 'maria.silva@example.com', ['checkout.session.completed', 'payment_intent.succeeded', 'charge.succeeded']],
  ['cup', 1800, 16 * MINUTE, null, 'pay'],
  ['teapot', 3250, 3 * MINUTE, 'tom.baker@example.co.uk', ['payment_intent.processing']],
  ['kettle', 4999, 1 * MINUTE, null, []],
];

// Whose, how long ago it began, how many boxes of tea, its status, and what happened since: a verb, when, and what changed.
const cut = { status: 'past_due' };
const end = (at) => ({ status: 'canceled', canceled_at: at, ended_at: at });
const ends = (at, { items }) => ({ cancel_at_period_end: true, canceled_at: at, cancel_at: items.data[0].current_period_end });
const pause = () => ({ pause_collection: { behavior: 'void', resumes_at: null } });
const boxes = (quantity) => (_, { items }) => ({ items: { ...items, data: [{ ...items.data[0], quantity }] } });
const renew = (at, { items }) => ({ items: { ...items, data: [{ ...items.data[0], ...period(at) }] }, latest_invoice: `in_${at}` });
const SUBSCRIPTIONS = [
  ['user-2', 70 * DAY, 1, 'active', [['updated', 31 * DAY, renew], ['updated', 62 * DAY, renew], ['failed', 62 * DAY], ['updated', 62 * DAY, cut]]],
  ['user-7', 66 * DAY, 2, 'active', [['updated', 31 * DAY, renew], ['updated', 62 * DAY, renew], ['paid', 62 * DAY]]],
  ['user-38', 36 * DAY, 1, 'active', [['updated', 20 * DAY, ends], ['deleted', 31 * DAY, end]]],
  ['user-12', 33 * DAY, 1, 'trialing', [['updated', 14 * DAY, () => ({ status: 'active' })], ['updated', 20 * DAY, boxes(3)], ['updated', 31 * DAY, renew], ['failed', 31 * DAY + HOUR], ['updated', 31 * DAY + HOUR, cut]]],
  ['user-19', 20 * DAY, 1, 'active', [['updated', 18 * DAY, ends]]],
  ['user-23', 12 * DAY, 1, 'active', [['updated', 5 * DAY, boxes(4)]]],
  ['user-31', 9 * DAY, 2, 'active', [['updated', 8 * DAY, pause]]],
  ['user-40', 6 * DAY, 1, 'trialing', []],
  ['user-43', 21 * HOUR, 1, 'active', [['deleted', 20 * HOUR, end]]],
  ['user-44', 5 * HOUR, 1, 'active', []],
  ['user-45', 40 * MINUTE, 1, 'active', []],
  ['user-46', 12 * MINUTE, 1, 'incomplete', []],
];

function period(start) {
  return { current_period_start: start, current_period_end: start + 31 * DAY };
}

async function ask(path, init) {
  const answer = await fetch(`${shop}${path}`, { redirect: 'manual', ...init });
  if (answer.status >= 400) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function buy(item, variant) {
  const headers = { accept: 'application/json' };
  return (await ask('/orders', { method: 'POST', headers, body: new URLSearchParams({ item, variant }) })).json();
}

// The dummy gateway's link carries the form's fields.
async function choose(next, choice) {
  const fields = new URL(next, shop).searchParams;
  fields.set('choice', choice);
  await ask('/payments/dummy/checkout', { method: 'POST', body: fields });
}

// A fixture made this payment's own: its ids, its amount, its customer.
async function deliver(name, { token, amount, email, age }, place = 0) {
  const text = readFileSync(`${here}../fixtures/events/stripe/${name}.json`, 'utf8');
  const own = (id, prefix) => {
    const digits = createHash('sha256').update(id + token).digest('base64').replaceAll(/[+/=]/g, '');
    return `${prefix}_${digits.slice(0, 24)}`;
  };
  const now = Math.floor(Date.now() / 1000);
  // The fixtures' story begins at 1791800000 and takes weeks; here it has to fit between then and now.
  const { created } = JSON.parse(text);
  const after = Math.min(created - 1791800000, Math.floor(40 + place * age * 0.12));
  const shift = now - age + after - created;
  const body = text
    .replaceAll(/\b(evt|cs_test|pi|ch|re|du|pm|txn)_[A-Za-z0-9]{8,}/g, own)
    .replaceAll('order-10042', token)
    .replaceAll('jenny.rosen@example.com', email)
    .replaceAll(/: 4999\b/g, `: ${amount}`)
    .replaceAll(/\b179\d{7}\b/g, (seconds) => Number(seconds) + shift);
  // Three days ago the secret was replaced.
  await post(body, secrets[age > 3 * DAY ? 1 : 0], now);
}

async function post(body, secret, now) {
  const v1 = createHmac('sha256', secret).update(`${now}.${body}`).digest('hex');
  const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${now},v1=${v1}` };
  await ask('/payments/stripe/', { method: 'POST', headers, body });
  // In the order in which they were sent, as they would come over days.
  await new Promise((resolve) => setTimeout(resolve, 60));
}

// A life of a subscription, in events that are signed now and tell of then.
async function subscribe([owner, age, quantity, status, steps], number) {
  const fixture = (name) => JSON.parse(readFileSync(`${here}../fixtures/events/stripe/${name}.json`, 'utf8'));
  const { api_version, data: { object } } = fixture('customer.subscription.updated');
  const now = Math.floor(Date.now() / 1000);
  const own = (prefix) => `${prefix}_${createHash('sha256').update(owner).digest('hex').slice(0, 16)}`;
  const start = now - age;
  const ids = { id: own('sub'), customer: own('cus'), latest_invoice: own('in') };
  Object.assign(object, ids, { status, created: start, start_date: start, metadata: { owner } });
  Object.assign(object.items.data[0], period(start), { quantity });
  Object.assign(object.items.data[0].price, { id: 'price_tea_box', unit_amount: 1250, unit_amount_decimal: '1250', currency: 'eur' });
  if (status === 'trialing') object.trial_end = start + 14 * DAY;
  let told = 0;
  const tell = async (type, created, data) => {
    told += 1;
    const id = `evt_${number}x${told}`;
    await post(JSON.stringify({ id, object: 'event', api_version, created, livemode: true, type, data }), secrets[0], now);
  };
  await tell('customer.subscription.created', start, { object });
  for (const [verb, after, changes] of steps) {
    const at = start + after;
    if (verb === 'failed' || verb === 'paid') {
      const { object: invoice } = fixture('invoice.payment_failed').data;
      const { subscription_details: details } = invoice.parent;
      Object.assign(invoice, { id: object.latest_invoice, created: at, amount_due: 1250 * quantity, currency: 'eur' });
      Object.assign(invoice, { attempt_count: 1, status: verb === 'paid' ? 'paid' : 'open', next_payment_attempt: verb === 'paid' ? null : now + 2 * DAY });
      details.subscription = object.id;
      await tell(verb === 'paid' ? 'invoice.paid' : 'invoice.payment_failed', at, { object: invoice });
      continue;
    }
    const put = typeof changes === 'function' ? changes(at, object) : changes;
    const previous_attributes = Object.fromEntries(Object.keys(put).map((name) => [name, object[name]]));
    Object.assign(object, put);
    await tell(`customer.subscription.${verb}`, at, verb === 'deleted' ? { object } : { object, previous_attributes });
  }
}

// Deliveries that are refused: signed for another endpoint, not signed, to a mistyped address.
async function trouble() {
  const send = (path, headers) => fetch(`${shop}${path}`, { method: 'POST', headers, body: '{}' });
  // Events that can't be read: amounts as texts.
  for (const id of ['evt_1BadAmountA', 'evt_1BadAmountB']) {
    const charge = { id: `ch_${id}`, object: 'charge', amount: '49.99', currency: 'eur', captured: true, status: 'succeeded' };
    const created = Math.floor(Date.now() / 1000);
    await post(JSON.stringify({ id, object: 'event', created, livemode: false, type: 'charge.succeeded', data: { object: charge } }), secrets[0], created);
  }
  for (let i = 0; i < 3; i += 1) await send('/payments/stripe/', { 'stripe-signature': `t=1791800000,v1=${'0'.repeat(64)}` });
  await send('/payments/stripe/', {});
  await send('/payments/strip/', {});
}

// What an operator does in a morning.
async function operate() {
  const basic = Buffer.from(`${auth.user}:${auth.password}`).toString('base64');
  const act = (path) => ask(`/payments/admin/${path}`, { method: 'POST', headers: { authorization: `Basic ${basic}` } });
  for (const event of [3, 5, 9]) await act(`events/${event}/requeue`);
  await act('variants/stripe/test');
  await act('events/12/requeue');
  await new Promise((resolve) => setTimeout(resolve, 2000));
}

async function seed(file) {
  const ages = {};
  for (const [item, amount, age, email, how] of PURCHASES) {
    const isChoice = typeof how === 'string';
    const { token, next } = await buy(item, isChoice ? 'dummy' : 'stripe');
    ages[token] = age;
    if (isChoice) await choose(next, how);
    else for (const [place, name] of how.entries()) await deliver(name, { token, amount, email, age }, place);
  }
  for (const [number, one] of SUBSCRIPTIONS.entries()) await subscribe(one, number);
  await deliver('payout.paid', { token: 'none', amount: 0, email: '', age: 0 });
  await deliver('payout.paid', { token: 'other', amount: 0, email: '', age: 0 });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await trouble();
  await operate();
  writeFileSync(file, JSON.stringify(ages));
}

// One line to browser.mjs, one line back.
function browser() {
  const child = spawn('node', [`${here}browser.mjs`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const command = async (question) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = JSON.parse((await answers.next()).value);
    if (answer.error) throw new Error(`${JSON.stringify(question)}: ${answer.error}`);
    return answer;
  };
  return { command, end: () => child.stdin.end() };
}

// The pages by name: an address, how high the picture is, and what to do there before it is made.
async function pagesOf(command, look) {
  const admin = `${shop}/payments/admin`;
  const tick = '.at-tick input';
  // Without the way back to the list, which an address of a page below it would not end in.
  const opened = async (element) => (await command({ cmd: 'click', ...element })).url.split('?')[0];
  await command({ cmd: 'open', url: `${admin}/payments?q=jenny.rosen%40example.com`, ...look });
  const payment = await opened({ selector: '.row-link' });
  const event = await opened({ text: 'checkout.session.completed' });
  await command({ cmd: 'open', url: `${admin}/subscriptions?q=user-12`, ...look });
  const subscription = await opened({ selector: '.row-link' });
  await command({ cmd: 'open', url: `${admin}/payments?status=review`, ...look });
  const review = await opened({ selector: '.row-link' });
  const down = [{ cmd: 'run', script: "document.querySelector('#subscriptions').scrollIntoView()" }];
  const confirm = [{ cmd: 'run', script: `document.querySelectorAll('${tick}').forEach((box, at) => { box.checked = at % 4 === 1; })` },
    { cmd: 'click', selector: '.bulk button[value=requeue]' }];
  return {
    overview: { url: `${admin}/`, height: 1080 },
    'overview-subscriptions': { url: `${admin}/`, then: down, height: 720 },
    subscriptions: { url: `${admin}/subscriptions`, height: 860 },
    subscription: { url: subscription, height: 1120 },
    payments: { url: `${admin}/payments`, height: 960 },
    payment: { url: payment, height: 1120 },
    refund: { url: `${payment}/refund?amount=15.00`, height: 560 },
    rebuild: { url: `${payment}/rebuild`, height: 720 },
    review: { url: `${review}/review`, height: 820 },
    customer: { url: `${payment}/customer`, height: 640 },
    search: { url: `${admin}/search?for=example`, height: 860 },
    failures: { url: `${admin}/failures`, height: 480 },
    disputes: { url: `${admin}/disputes`, height: 560 },
    books: { url: `${admin}/books?mode=test`, height: 960 },
    events: { url: `${admin}/events`, height: 960 },
    event: { url: event, height: 960 },
    'dry-run': { url: `${event}/dry-run`, height: 1120 },
    confirm: { url: `${admin}/events`, then: confirm, height: 720 },
    variants: { url: `${admin}/variants`, height: 480 },
    variant: { url: `${admin}/variants/stripe`, height: 960 },
    audit: { url: `${admin}/audit`, height: 560 },
  };
}

const NARROW = ['overview', 'payments', 'payment', 'events'];
const ON_A_PHONE = ['overview', 'overview-subscriptions', 'subscriptions', 'subscription', 'payments', 'payment', 'events'];

async function draw(folder) {
  const { command, end } = browser();
  const picture = async ({ url, then = [] }, name, look) => {
    await command({ cmd: 'open', url, ...look });
    for (const step of then) await command(step);
    await command({ cmd: 'screenshot', path: `${folder}/${name}.png`, full: false });
  };
  const pages = await pagesOf(command, { auth, width: 1280, height: 960 });
  for (const scheme of ['light', 'dark']) {
    for (const [name, page] of Object.entries(pages)) {
      await picture(page, `${name}-${scheme}`, { auth, width: 1280, height: page.height, scheme });
    }
  }
  for (const name of NARROW) await picture(pages[name], `${name}-narrow`, { auth, width: 900, height: 1120 });
  for (const name of ON_A_PHONE) await picture(pages[name], `${name}-phone`, { auth, width: 360, height: 1200 });
  end();
}

function answer(bind) {
  const [host, port] = bind.split(':');
  const nothing = JSON.stringify({ object: 'list', data: [], has_more: false });
  createServer((_, response) => response.setHeader('content-type', 'application/json').end(nothing)).listen(port, host);
}

const [what, where] = process.argv.slice(2);
await { seed, answer, draw }[what](where);
