// What does Mollie's own library send? It is pointed at a server of this process, and each request is written down:
//
//     node tests/tools/record_mollie.mjs > tests/fixtures/vectors/mollie_api_requests.json
//
// with @mollie/api-client in `node_modules` of the folder that TEST_TOOLS names. The tests compare our own requests with
// what it prints.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(process.env.TEST_TOOLS ?? "target/test-tools", "package.json"));
const { createMollieClient } = require("@mollie/api-client");

const calls = [];
const payment = { resource: "payment", id: "tr_7UhSN1zuXS", status: "open", amount: { currency: "EUR", value: "49.98" } };
const answers = {
  "POST /v2/payments": { ...payment, _links: { checkout: { href: "https://www.mollie.com/checkout/x", type: "text/html" } } },
  "POST /v2/payments/tr_7UhSN1zuXS/refunds": { resource: "refund", id: "re_4qqhO89gsT", status: "pending", amount: { currency: "EUR", value: "5.95" } },
  "POST /v2/payments/tr_7UhSN1zuXS/captures": { resource: "capture", id: "cpt_mNepDkEtco6ah3QNPUGYH", status: "succeeded" },
};

// The library speaks nothing but TLS, so the server has a certificate, which nobody checks.
const folder = mkdtempSync(join(tmpdir(), "mollie-"));
const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name));
const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
execFileSync("openssl", [...made, "-keyout", key, "-out", cert], { stdio: "ignore" });
const tls = { key: readFileSync(key), cert: readFileSync(cert) };
rmSync(folder, { recursive: true });
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
process.removeAllListeners("warning");

const server = createServer(tls, (request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const { method, url } = request;
    const headers = {};
    for (const name of ["authorization", "content-type", "accept", "idempotency-key"]) {
      if (request.headers[name]) headers[name] = request.headers[name];
    }
    calls.push({ method, path: url, headers, body: body ? JSON.parse(body) : null });
    response.writeHead(200, { "content-type": "application/hal+json" });
    response.end(JSON.stringify(answers[`${method} ${url}`] ?? payment));
  });
});

server.listen(0, "127.0.0.1", async () => {
  const apiEndpoint = `https://127.0.0.1:${server.address().port}/v2`;
  const mollie = createMollieClient({ apiKey: "test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM", apiEndpoint });
  const amount = { currency: "EUR", value: "49.98" };
  const idempotencyKey = "op_1";
  await mollie.payments.create({
    amount,
    description: "order-10042",
    redirectUrl: "https://shop.example/thanks",
    cancelUrl: "https://shop.example/cancel",
    webhookUrl: "https://shop.example/payments/mollie/",
    locale: "de_DE",
    captureMode: "manual",
    lines: [{ description: "Tasse ☕", quantity: 2, unitPrice: { currency: "EUR", value: "24.99" }, totalAmount: amount }],
    metadata: { note: "Zoë & Söhne", payment_token: "order-10042" },
    idempotencyKey,
  });
  await mollie.payments.get("tr_7UhSN1zuXS", { embed: ["refunds", "chargebacks", "captures"] });
  await mollie.payments.cancel("tr_7UhSN1zuXS", { idempotencyKey });
  await mollie.paymentRefunds.create({ paymentId: "tr_7UhSN1zuXS", amount: { currency: "EUR", value: "5.95" }, description: "order-10042", metadata: { payment_token: "order-10042" }, idempotencyKey });
  await mollie.paymentCaptures.create({ paymentId: "tr_7UhSN1zuXS", amount: { currency: "EUR", value: "20.00" }, description: "order-10042", idempotencyKey });
  const { version } = require("@mollie/api-client/package.json");
  console.log(JSON.stringify({ sdk: `@mollie/api-client@${version}`, calls }, null, 1));
  server.close();
});
