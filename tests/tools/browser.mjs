// What does a person see and do in a real browser? Drives the installed Chromium for the Rust tests.
//
// One JSON object per line in, one out, until stdin ends or {"cmd":"close"}. What goes wrong, or takes longer than
// twenty seconds, answers {"error": why}. TEST_TOOLS is the folder that holds node_modules; CHROMIUM may name the program.
// `element` below is either {"selector": CSS} or {"text": what a link or button says}.
//
//   open        {url, javascript = true, width = 1280, height = 900, scheme = "light", zone = "UTC",
//                auth: {user, password}}
//                                  -> {status, url}; cookies and console are kept while the options stay the same
//   click       element            -> {url} once the page it leads to is loaded
//   fill        {selector, value}  -> {}; chooses an option if the element is a select
//   submit      {selector}         -> {url}; presses the form's first button
//   download    element            -> {name, text} of the file that a click saves
//   press       {key}              -> {}; a key on the keyboard, as "ArrowDown"
//   enter       {selector}         -> {url}; Enter in a field, once the page it leads to is loaded
//   steps       {}                 -> {steps}: clicks, fields filled and keys pressed since a page was opened by address
//   run         {script}           -> {value}; what an expression gives in the page
//   text, html  {selector = body, html} -> {text} as displayed, {html} as it stands in the document
//   count       {selector}         -> {count}
//   url         {}                 -> {url}
//   console     {}                 -> {errors, csp}: messages since the window was opened, violations of the CSP apart
//   overflow    {}                 -> {overflow, width, window, widest}: does the page scroll sideways, and because of what
//   axe         {}                 -> {violations: [{id, impact, help, nodes}]}
//   screenshot  {path, full = true} -> {}
//   fresh       {}                 -> {}; forgets the window with its cookies and console

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { accessSync, constants, readFileSync } from 'node:fs';

const require = createRequire(`${process.env.TEST_TOOLS}/package.json`);
const { chromium } = require('playwright-core');

const PATIENCE = 20_000;
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

let browser;
let current;
// What the person has done since a page was opened: clicks, fields filled, keys pressed.
let steps = 0;

function program() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const paths = process.env.PATH.split(':').flatMap((folder) => names.map((name) => `${folder}/${name}`));
  const found = [process.env.CHROMIUM, ...paths].filter(Boolean).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error('no Chromium on the PATH; scripts/test installs it');
  return found;
}

// The window that fits the options: the present one, or a new one in place of it.
async function windowFor({ javascript = true, width = 1280, height = 900, scheme = 'light', zone = 'UTC', auth = null }) {
  const options = {
    javaScriptEnabled: javascript,
    viewport: { width, height },
    colorScheme: scheme,
    timezoneId: zone,
    ...(auth && { httpCredentials: { username: auth.user, password: auth.password } }),
  };
  const key = JSON.stringify(options);
  if (current?.key === key) return current;
  // Chromium gets a fresh profile in a temporary folder, which is deleted when it ends.
  browser ??= await chromium.launch({ executablePath: program(), args: FLAGS, timeout: PATIENCE });
  await current?.context.close();
  current = undefined;
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const messages = [];
  page.on('console', (message) => message.type() === 'error' && messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  current = { key, options, context, page, messages };
  return current;
}

function page() {
  if (!current) throw new Error('open a page first');
  return current.page;
}

// What can be pressed comes before what merely says the same.
async function element({ selector, text }) {
  if (selector) return page().locator(selector).first();
  const pressed = page().getByRole('link', { name: text }).or(page().getByRole('button', { name: text }));
  return (await pressed.count()) > 0 ? pressed.first() : page().getByText(text).first();
}

// Does what leads to another page, and waits for that page, however busy the machine is.
async function arriving(act) {
  const arrived = page().waitForEvent('load').then(() => null, (error) => error);
  await act();
  const trouble = await arrived;
  if (trouble) throw trouble;
  return { url: page().url() };
}

// Clicks, and where that leads elsewhere waits for the page there.
async function follow(locator) {
  steps += 1;
  const leads = await locator.evaluate((node) => {
    const link = node.closest('a[href]');
    const button = node.closest('button:not([type=button]), input[type=submit], input[type=image]');
    return Boolean(link || (button?.form && button.form.method !== 'dialog'));
  });
  if (leads) return arriving(() => locator.click());
  await locator.click();
  return { url: page().url() };
}

// These run in the page; the checks come in through the debugger, which no content security policy stops.
function measureOverflow() {
  const width = document.documentElement.scrollWidth;
  let widest = { node: document.body, right: 0 };
  const visit = (node) => {
    const right = node.getBoundingClientRect().left + node.scrollWidth;
    if (getComputedStyle(node).overflowX !== 'visible') return; // It scrolls by itself.
    if (right >= widest.right) widest = { node, right };
    for (const child of node.children) visit(child);
  };
  visit(document.body);
  const name = widest.node.localName + [...widest.node.classList].map((word) => `.${word}`).join('');
  return { overflow: width > window.innerWidth, width, window: window.innerWidth, widest: name };
}

const commands = {
  async open({ url, ...options }) {
    const { page } = await windowFor(options);
    steps = 0;
    try {
      const response = await page.goto(url, { waitUntil: 'load' });
      return { status: response?.status() ?? null, url: page.url() };
    } catch (error) {
      if (error.message.includes('ERR_INVALID_AUTH_CREDENTIALS')) {
        await commands.fresh(); // The browser goes on to a page of its own about this, which would get in the way.
        return { status: 401, url };
      }
      throw error;
    }
  },
  click: async (command) => follow(await element(command)),
  async fill({ selector, value }) {
    steps += 1;
    const field = page().locator(selector).first();
    const isSelect = await field.evaluate((node) => node.localName === 'select');
    await (isSelect ? field.selectOption(value) : field.fill(value));
    return {};
  },
  submit({ selector = 'form' }) {
    const buttons = 'button:not([type]), button[type=submit], input[type=submit], input[type=image]';
    return follow(page().locator(selector).first().locator(buttons).first());
  },
  async download(command) {
    steps += 1;
    const saved = page().waitForEvent('download');
    await (await element(command)).click();
    const file = await saved;
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
  },
  async press({ key }) {
    steps += 1;
    await page().keyboard.press(key);
    return {};
  },
  enter({ selector }) {
    steps += 1;
    return arriving(() => page().locator(selector).first().press('Enter'));
  },
  steps: async () => ({ steps }),
  run: async ({ script }) => ({ value: await page().evaluate(script) }),
  text: async ({ selector = 'body' }) => ({ text: await page().locator(selector).first().innerText() }),
  html: async ({ selector = 'html' }) => ({
    html: await page().locator(selector).first().evaluate((node) => node.outerHTML),
  }),
  count: async ({ selector }) => ({ count: await page().locator(selector).count() }),
  url: async () => ({ url: page().url() }),
  async console() {
    page();
    const isCsp = (message) => /content security policy/i.test(message);
    const { messages } = current;
    return { errors: messages.filter((message) => !isCsp(message)), csp: messages.filter(isCsp) };
  },
  overflow: () => page().evaluate(measureOverflow),
  async axe() {
    if (!current?.options.javaScriptEnabled) throw new Error('axe needs a page that was opened with JavaScript');
    await page().evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const violations = await page().evaluate(async () => {
      const rules = { 'target-size': { enabled: true } };
      return (await window.axe.run(document, { rules })).violations;
    });
    return {
      violations: violations.map(({ id, impact, help, nodes }) => ({
        id,
        impact,
        help,
        nodes: nodes.map((node) => node.html),
      })),
    };
  },
  async media({ media }) {
    await page().emulateMedia({ media });
    return {};
  },
  async screenshot({ path, full = true }) {
    await page().screenshot({ path, fullPage: full });
    return {};
  },
  async fresh() {
    await current?.context.close();
    current = undefined;
    return {};
  },
  async close() {
    await browser?.close();
    browser = undefined;
    current = undefined;
    return {};
  },
};

// Playwright's own timeouts name the cause, so they come first.
async function answer(line) {
  let alarm;
  try {
    const { cmd, ...command } = JSON.parse(line);
    if (!Object.hasOwn(commands, cmd)) throw new Error(`no command ${JSON.stringify(cmd)}`);
    const late = new Promise((_, reject) => {
      alarm = setTimeout(() => reject(new Error(`${cmd} took longer than ${PATIENCE} ms`)), PATIENCE + 1_000);
    });
    return await Promise.race([commands[cmd](command), late]);
  } catch (error) {
    return { error: error.message.replaceAll(/\u001b\[\d+m/g, '').trim() };
  } finally {
    clearTimeout(alarm);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  if (!browser && line.includes('"close"')) break;
}
await browser?.close();
process.exit(0);
