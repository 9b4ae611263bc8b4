// What do the companies' own SDKs for Node send for the calls that this crate makes itself?
//
// Each SDK talks to an HTTP server of this script in place of its company; the requests are written to
// tests/fixtures/vectors/api_requests/COMPANY.json. Run it when a call is added or an SDK has a new version:
//
//   npm install --prefix DIR @paddle/paddle-node-sdk@3.10.0 razorpay@2.9.8 square@46.0.0 \
//     @adyen/api-library@32.1.0 @lemonsqueezy/lemonsqueezy.js@4.0.0 @polar-sh/sdk@0.49.0 mercadopago@3.6.1 \
//     @paypal/paypal-server-sdk@2.5.0 braintree@3.40.0
//   SDKS=DIR node tests/tools/record_calls.mjs
//
// Header fields that only describe the SDK or the connection are left out.

import { createServer, request as plainRequest } from 'node:http';
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(join(process.env.SDKS, 'package.json'));
const folder = join(dirname(fileURLToPath(import.meta.url)), '../fixtures/vectors/api_requests');
const KEPT = [
  'authorization', 'content-type', 'x-api-key', 'idempotency-key', 'x-idempotency-key', 'square-version', 'paddle-version',
  'paypal-request-id', 'x-apiversion',
];

// A body that is JSON, or else as it is: a form.
const read = (body) => (body.startsWith('{') ? JSON.parse(body) : body);

let heard = [];
let answer = {};
const server = createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts).toString();
    const headers = Object.fromEntries(KEPT.filter((name) => req.headers[name]).map((name) => [name, req.headers[name]]));
    heard.push({ method: req.method, path: req.url, headers, body: body ? read(body) : null });
    res.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    res.end(JSON.stringify(answer));
  });
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const address = `http://127.0.0.1:${server.address().port}`;

// SDKs without a setting for the address are led here by their way out.
const fetched = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === 'string' || input instanceof URL ? input : input.url);
  if (url.hostname === '127.0.0.1') return fetched(input, init);
  return fetched(`${address}${url.pathname}${url.search}`, init);
};
const https = require('node:https');
https.request = (options, ...rest) =>
  plainRequest({ ...options, protocol: 'http:', hostname: '127.0.0.1', host: '127.0.0.1', port: server.address().port, agent: undefined }, ...rest);

async function record(company, sdk, calls) {
  const recorded = [];
  for (const [name, call] of Object.entries(calls)) {
    heard = [];
    // What the SDK makes of the answer says nothing here.
    try {
      await call();
    } catch (error) {
      if (heard.length === 0) throw error;
    }
    recorded.push({ name, ...heard[0] });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${company}.json`), `${JSON.stringify({ sdk, calls: recorded }, null, 1)}\n`);
  console.log(company, recorded.length);
}

const load = async (name) => import(pathToFileURL(require.resolve(name)).href);

// Paddle
{
  const { Paddle } = require('@paddle/paddle-node-sdk');
  const paddle = new Paddle('pdl_sdbx_apikey_1', { environment: address });
  answer = { data: { id: 'txn_1', items: [], details: null, payments: [] }, meta: {} };
  await record('paddle', '@paddle/paddle-node-sdk@3.10.0', {
    checkout: () => paddle.transactions.create({
      items: [{
        quantity: 2,
        price: {
          description: 'Cup',
          name: 'Cup',
          taxMode: 'internal',
          unitPrice: { amount: '2499', currencyCode: 'EUR' },
          product: { name: 'Cup', taxCategory: 'standard' },
        },
      }],
      currencyCode: 'EUR',
      collectionMode: 'automatic',
      customData: { payment_token: 'tok_1' },
    }),
    cancel: () => paddle.transactions.update('txn_1', { status: 'canceled' }),
    show: () => paddle.transactions.get('txn_1', { include: ['adjustment'] }),
    refund_all: () => paddle.adjustments.create({
      action: 'refund', transactionId: 'txn_1', reason: 'refund op_1', type: 'full',
    }),
    refund_part: () => paddle.adjustments.create({
      action: 'refund',
      transactionId: 'txn_1',
      reason: 'refund op_1',
      type: 'partial',
      items: [{ itemId: 'txnitm_1', type: 'partial', amount: '1999' }],
    }),
    events: () => paddle.events.list({ orderBy: 'id[DESC]', perPage: 100, after: 'evt_1' }).next(),
    subscribe: () => paddle.transactions.create({
      items: [{ quantity: 3, priceId: 'pri_1' }],
      collectionMode: 'automatic',
      customData: { subscription_token: 'tok_1', owner: 'user-42' },
    }),
    subscription_cancel: () => paddle.subscriptions.cancel('sub_1', { effectiveFrom: 'immediately' }),
    subscription_cancel_at_end: () => paddle.subscriptions.cancel('sub_1', { effectiveFrom: 'next_billing_period' }),
    subscription_resume: () => paddle.subscriptions.update('sub_1', { scheduledChange: null }),
    subscription_refresh: () => paddle.subscriptions.get('sub_1'),
  });
}

// Razorpay
{
  const Razorpay = require('razorpay');
  const razorpay = new Razorpay({ key_id: 'rzp_test_1', key_secret: 'secret_1' });
  razorpay.api.rq.defaults.baseURL = address;
  answer = { id: 'plink_1' };
  await record('razorpay', 'razorpay@2.9.8', {
    checkout: () => razorpay.paymentLink.create({
      amount: 4998,
      currency: 'INR',
      reference_id: 'tok_1',
      description: 'Cup',
      customer: { email: 'mia@shop.example' },
      notify: { sms: false, email: false },
      reminder_enable: false,
      notes: { payment_token: 'tok_1' },
      callback_url: 'https://shop.example/thanks',
      callback_method: 'get',
      expire_by: 1791803600,
    }),
    capture: () => razorpay.payments.capture('pay_1', 4998, 'INR'),
    cancel: () => razorpay.paymentLink.cancel('plink_1'),
    refund_all: () => razorpay.payments.refund('pay_1', { notes: { payment_token: 'tok_1' } }),
    refund_part: () => razorpay.payments.refund('pay_1', {
      amount: 1999, notes: { payment_token: 'tok_1' },
    }),
    show: () => razorpay.payments.fetch('pay_1'),
    refunds: () => razorpay.payments.fetchMultipleRefund('pay_1', { count: 100 }),
    link: () => razorpay.paymentLink.fetch('plink_1'),
    order_payments: () => razorpay.orders.fetchPayments('order_1'),
    dispute: () => razorpay.disputes.fetch('disp_1'),
    subscription_cancel: () => razorpay.subscriptions.cancel('sub_1', false),
    subscription_cancel_at_end: () => razorpay.subscriptions.cancel('sub_1', true),
    subscription_refresh: () => razorpay.subscriptions.fetch('sub_1'),
    subscribe: () => razorpay.subscriptions.create({
      plan_id: 'plan_1',
      quantity: 3,
      total_count: 120,
      customer_notify: false,
      notes: { subscription_token: 'tok_1', owner: 'user-42' },
    }),
  });
}

// Square
{
  const { SquareClient } = require('square');
  const square = new SquareClient({ token: 'sq_1', baseUrl: address, maxRetries: 0 });
  answer = {};
  const eur = (amount) => ({ amount: BigInt(amount), currency: 'EUR' });
  await record('square', 'square@46.0.0', {
    checkout: () => square.checkout.paymentLinks.create({
      idempotencyKey: 'tok_1-checkout',
      order: {
        locationId: 'L1',
        referenceId: 'tok_1',
        lineItems: [{ name: 'Cup', quantity: '2', basePriceMoney: eur(2499) }],
      },
      checkoutOptions: { redirectUrl: 'https://shop.example/thanks' },
      prePopulatedData: { buyerEmail: 'mia@shop.example' },
      paymentNote: 'tok_1',
    }),
    capture: () => square.payments.complete({ paymentId: 'pay_1' }),
    cancel: () => square.payments.cancel({ paymentId: 'pay_1' }),
    refund: () => square.refunds.refundPayment({
      idempotencyKey: 'op_1', amountMoney: eur(1999), paymentId: 'pay_1', reason: 'broken',
    }),
    show: () => square.payments.get({ paymentId: 'pay_1' }),
    show_refund: () => square.refunds.get({ refundId: 'ref_1' }),
    order: () => square.orders.get({ orderId: 'ord_1' }),
    dispute: () => square.disputes.get({ disputeId: 'dp_1' }),
  });
}

// Adyen
{
  const { Client, CheckoutAPI } = require('@adyen/api-library');
  const checkout = new CheckoutAPI(new Client({ apiKey: 'key_1', environment: 'TEST' }));
  answer = { id: 'PL1' };
  const eur = (value) => ({ value, currency: 'EUR' });
  const once = { idempotencyKey: 'op_1' };
  await record('adyen', '@adyen/api-library@32.1.0', {
    checkout: () => checkout.PaymentLinksApi.paymentLinks({
      merchantAccount: 'ShopECOM',
      amount: eur(4998),
      reference: 'tok_1',
      returnUrl: 'https://shop.example/thanks',
      shopperEmail: 'mia@shop.example',
      shopperLocale: 'de-DE',
    }, { idempotencyKey: 'tok_1-checkout' }),
    checkout_manual: () => checkout.PaymentLinksApi.paymentLinks({
      merchantAccount: 'ShopECOM', amount: eur(4998), reference: 'tok_1-manual-capture', manualCapture: true,
    }, { idempotencyKey: 'tok_1-checkout' }),
    capture: () => checkout.ModificationsApi.captureAuthorisedPayment('PSP1', {
      merchantAccount: 'ShopECOM', amount: eur(3000), reference: 'tok_1',
    }, once),
    cancel: () => checkout.ModificationsApi.cancelAuthorisedPaymentByPspReference('PSP1', {
      merchantAccount: 'ShopECOM', reference: 'tok_1-manual-capture',
    }, once),
    refund: () => checkout.ModificationsApi.refundCapturedPayment('PSP1', {
      merchantAccount: 'ShopECOM', amount: eur(1999), reference: 'tok_1',
    }, once),
    cancel_link: () => checkout.PaymentLinksApi.updatePaymentLink('PL1', { status: 'expired' }, once),
  });
}

// Lemon Squeezy
{
  const lemon = await load('@lemonsqueezy/lemonsqueezy.js');
  lemon.lemonSqueezySetup({ apiKey: 'key_1' });
  answer = { data: { id: '1' } };
  await record('lemon_squeezy', '@lemonsqueezy/lemonsqueezy.js@4.0.0', {
    checkout: () => lemon.createCheckout('11', '22', {
      customPrice: 4998,
      checkoutOptions: { discount: false },
      productOptions: { redirectUrl: 'https://shop.example/thanks' },
      checkoutData: { email: 'mia@shop.example', custom: { payment_token: 'tok_1' } },
      expiresAt: '2026-10-12T11:13:20Z',
    }),
    show: () => lemon.getOrder('1'),
    refund: () => lemon.issueOrderRefund('1', 1999),
    show_invoice: () => lemon.getSubscriptionInvoice('1'),
    refund_invoice: () => lemon.issueSubscriptionInvoiceRefund('1', 1999),
    subscribe: () => lemon.createCheckout('11', '22', {
      productOptions: { redirectUrl: 'https://shop.example/thanks' },
      checkoutData: { custom: { subscription_token: 'tok_1', owner: 'user-42' } },
    }),
    subscription_cancel_at_end: () => lemon.cancelSubscription('1'),
    subscription_resume: () => lemon.updateSubscription('1', { cancelled: false }),
    subscription_refresh: () => lemon.getSubscription('1'),
  });
}

// Polar
{
  const { Polar } = await load('@polar-sh/sdk');
  const polar = new Polar({ accessToken: 'polar_oat_1', serverURL: address });
  answer = {};
  await record('polar', '@polar-sh/sdk@0.49.0', {
    checkout: () => polar.checkouts.create({
      products: ['prod_1'],
      prices: { prod_1: [{ amountType: 'fixed', priceAmount: 4998, priceCurrency: 'eur' }] },
      metadata: { payment_token: 'tok_1' },
      successUrl: 'https://shop.example/thanks',
      customerEmail: 'mia@shop.example',
      allowDiscountCodes: false,
    }),
    show: () => polar.orders.get({ id: 'ord_1' }),
    orders: () => polar.orders.list({ checkoutId: 'chk_1' }),
    refunds: () => polar.refunds.list({ orderId: 'ord_1', limit: 100 }),
    refund: () => polar.refunds.create({
      orderId: 'ord_1', reason: 'customer_request', amount: 1680, metadata: { operation: 'op_1' },
    }),
    subscribe: () => polar.checkouts.create({
      products: ['prod_1'],
      metadata: { subscription_token: 'tok_1', owner: 'user-42' },
      successUrl: 'https://shop.example/thanks',
      externalCustomerId: 'user-42',
    }),
    subscription_cancel: () => polar.subscriptions.revoke({ id: 'sub_1' }),
    subscription_cancel_at_end: () => polar.subscriptions.update({
      id: 'sub_1', subscriptionUpdate: { cancelAtPeriodEnd: true },
    }),
    subscription_resume: () => polar.subscriptions.update({
      id: 'sub_1', subscriptionUpdate: { cancelAtPeriodEnd: false },
    }),
    subscription_refresh: () => polar.subscriptions.get({ id: 'sub_1' }),
  });
}

// Mercado Pago
{
  const sdk = require('mercadopago');
  const config = new sdk.MercadoPagoConfig({ accessToken: 'APP_USR-1' });
  const payment = new sdk.Payment(config);
  const refund = new sdk.PaymentRefund(config);
  const preference = new sdk.Preference(config);
  const once = { idempotencyKey: 'op_1' };
  answer = { id: 1 };
  await record('mercado_pago', 'mercadopago@3.6.1', {
    checkout: () => preference.create({
      body: {
        items: [{ title: 'Cup', quantity: 2, unit_price: 24.99, currency_id: 'BRL' }],
        external_reference: 'tok_1',
        payer: { email: 'mia@shop.example' },
        back_urls: {
          success: 'https://shop.example/thanks',
          pending: 'https://shop.example/thanks',
          failure: 'https://shop.example/thanks',
        },
        auto_return: 'approved',
        notification_url: 'https://shop.example/payments/mercado-pago/?source_news=webhooks',
        expires: true,
        expiration_date_to: '2026-10-12T11:13:20Z',
      },
      requestOptions: { idempotencyKey: 'tok_1-checkout' },
    }),
    end: () => preference.update({
      id: '7-abc',
      updatePreferenceRequest: { expires: true, expiration_date_to: '1970-01-01T00:00:00Z' },
      requestOptions: once,
    }),
    checkout_show: () => preference.get({ preferenceId: '7-abc' }),
    capture: () => payment.capture({ id: 1, requestOptions: once }),
    cancel: () => payment.cancel({ id: 1, requestOptions: { idempotencyKey: 'op_1-1' } }),
    refund_all: () => refund.total({ payment_id: 1, requestOptions: once }),
    refund_part: () => refund.create({ payment_id: 1, body: { amount: 19.99 }, requestOptions: once }),
    show: () => payment.get({ id: 1 }),
    search: () => payment.search({ options: { external_reference: 'tok_1', limit: 11 } }),
    chargeback: () => new sdk.Chargeback(config).get({ id: '5' }),
    merchant_order: () => new sdk.MerchantOrder(config).get({ merchantOrderId: '9' }),
  });
}

// PayPal. The SDK has no calls for webhooks.
{
  const sdk = require('@paypal/paypal-server-sdk');
  const client = new sdk.Client({
    clientCredentialsAuthCredentials: {
      oAuthClientId: 'client_1', oAuthClientSecret: 'secret_1', oAuthToken: { accessToken: 'token_1', tokenType: 'Bearer' },
    },
    environment: sdk.Environment.Sandbox,
  });
  const [orders, payments] = [new sdk.OrdersController(client), new sdk.PaymentsController(client)];
  const subscriptions = new sdk.SubscriptionsController(client);
  const eur = (value) => ({ currencyCode: 'EUR', value });
  const once = { paypalRequestId: 'op_1', prefer: 'return=representation' };
  answer = { id: 'ORDER1', status: 'CREATED' };
  await record('paypal', '@paypal/paypal-server-sdk@2.5.0', {
    checkout: () => orders.createOrder({
      paypalRequestId: 'tok_1-checkout',
      prefer: 'return=representation',
      body: {
        intent: 'CAPTURE',
        purchaseUnits: [{
          customId: 'tok_1',
          amount: { ...eur('49.98'), breakdown: { itemTotal: eur('49.98') } },
          items: [{ name: 'Cup', quantity: '2', unitAmount: eur('24.99') }],
        }],
        paymentSource: {
          paypal: {
            emailAddress: 'mia@shop.example',
            experienceContext: {
              returnUrl: 'https://shop.example/thanks', cancelUrl: 'https://shop.example/thanks', userAction: 'PAY_NOW',
            },
          },
        },
      },
    }),
    show_order: () => orders.getOrder({ id: 'ORDER1' }),
    complete: () => orders.captureOrder({ id: 'ORDER1', ...once, body: {} }),
    complete_manual: () => orders.authorizeOrder({ id: 'ORDER1', ...once, body: {} }),
    capture: () => payments.captureAuthorizedPayment({ authorizationId: 'AUTH1', ...once, body: { finalCapture: true } }),
    capture_part: () => payments.captureAuthorizedPayment({
      authorizationId: 'AUTH1', ...once, body: { finalCapture: true, amount: eur('30.00') },
    }),
    cancel: () => payments.voidPayment({ authorizationId: 'AUTH1', ...once }),
    refund_all: () => payments.refundCapturedPayment({ captureId: 'CAP1', ...once, body: { customId: 'tok_1' } }),
    refund_part: () => payments.refundCapturedPayment({
      captureId: 'CAP1', ...once, body: { customId: 'tok_1', amount: eur('19.99') },
    }),
    show_authorization: () => payments.getAuthorizedPayment({ authorizationId: 'AUTH1' }),
    show_capture: () => payments.getCapturedPayment({ captureId: 'CAP1' }),
    show_refund: () => payments.getRefund({ refundId: 'REF1' }),
    subscribe: () => subscriptions.createSubscription({
      paypalRequestId: 'tok_1-checkout',
      prefer: 'return=representation',
      body: {
        planId: 'P-1',
        quantity: '3',
        customId: 'tok_1',
        applicationContext: {
          returnUrl: 'https://shop.example/thanks', cancelUrl: 'https://shop.example/thanks', userAction: 'SUBSCRIBE_NOW',
          shippingPreference: 'NO_SHIPPING',
        },
      },
    }),
    subscription_cancel: () => subscriptions.cancelSubscription({ id: 'I-1', body: { reason: 'asked for by the merchant' } }),
    subscription_pause: () => subscriptions.suspendSubscription({ id: 'I-1', body: { reason: 'asked for by the merchant' } }),
    subscription_unpause: () => subscriptions.activateSubscription({ id: 'I-1', body: { reason: 'asked for by the merchant' } }),
    subscription_refresh: () => subscriptions.getSubscription({ id: 'I-1' }),
  });
}

// Braintree
{
  const braintree = require('braintree');
  const gateway = new braintree.BraintreeGateway({
    environment: braintree.Environment.Sandbox, merchantId: 'merchant_1', publicKey: 'public_1', privateKey: 'private_1',
  });
  answer = {};
  await record('braintree', 'braintree@3.40.0', {
    subscription_cancel: () => gateway.subscription.cancel('sub_1'),
    subscription_refresh: () => gateway.subscription.find('sub_1'),
  });
}

server.close();
process.exit(0);
