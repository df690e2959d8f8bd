/** The core in a real browser: Debian's Chromium, headless, driven by playwright-core. */
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { createHost } from '../../src/host.ts';
import { linkFromWebSocket, type PacketWebSocket } from '../../src/web.ts';
import { type Fetched, serve } from './page.ts';

const CHROMIUM = spawnSync(
  'sh',
  ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome'],
  {
    encoding: 'utf8',
  },
).stdout.trim();
const note = CHROMIUM === '' ? ' [pending: install chromium]' : '';
const MEGABYTES_10 = 10 * 1024 * 1024;

interface PageNames {
  overPipe(length: number): Promise<Fetched>;
  overWorker(length: number, script: string): Promise<Fetched>;
  overWebSocket(length: number, url: string): Promise<Fetched>;
  address(text: string): string;
}

/** The bundle of page.ts. Whatever it needs of Node.js is an error here. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    write: false,
  });
  return outputFiles[0]?.text as string;
}

describe('browser', () => {
  it('the bundle needs nothing of Node.js', async () => {
    const code = await bundle();
    expect(code).to.not.match(/\brequire\(|from ["']node:/);
    expect(code.length).to.be.greaterThan(100_000);
  });
});

(CHROMIUM === '' ? describe.skip : describe)(`Chromium${note}`, function () {
  this.timeout(60_000);
  let browser: Browser;
  let page: Page;
  let server: Server;
  let sockets: WebSocketServer;
  let url: string;

  before(async () => {
    const script = await bundle();
    server = createServer((request, response) => {
      const type = request.url === '/' ? 'text/html' : 'text/javascript';
      response.setHeader('Content-Type', type);
      const worker = request.url === '/worker.js' ? '\ntunstackPage.serveWorker();' : '';
      response.end(request.url === '/' ? '<script src="page.js"></script>' : script + worker);
    }).listen(0, '127.0.0.1');
    sockets = new WebSocketServer({ server });
    await new Promise((resolve) => server.on('listening', resolve));
    url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage();
    await page.goto(`http://${url}/`);
  });
  after(async () => {
    await browser?.close();
    sockets?.close();
    server?.close();
    server?.closeAllConnections();
  });

  // The functions run in the page, where `tunstackPage` is.
  const inPage = (name: keyof PageNames, ...args: (string | number)[]) =>
    page.evaluate(
      ([method, list]) =>
        (globalThis as unknown as { tunstackPage: Record<string, (...each: unknown[]) => unknown> }).tunstackPage[
          method as string
        ]?.(...(list as unknown[])),
      [name, args] as const,
    ) as Promise<Fetched>;
  const whole = { status: 'HTTP/1.1 200 OK', length: MEGABYTES_10, wrong: 0 };

  it('fetches 10 MB between two hosts in the page', async () => {
    expect(await inPage('overPipe', MEGABYTES_10)).to.deep.equal(whole);
  });

  it('fetches 10 MB from a host in a worker, over a MessagePort', async () => {
    expect(await inPage('overWorker', MEGABYTES_10, 'worker.js')).to.deep.equal(whole);
  });

  it('fetches 10 MB from a host in Node.js, over a WebSocket', async () => {
    sockets.once('connection', (socket) => {
      const host = createHost({
        link: linkFromWebSocket(socket as unknown as PacketWebSocket),
        address: '10.9.0.2/24',
      });
      serve(host, '10.9.0.2:80').catch(() => {});
      socket.on('close', () => host.close());
    });
    expect(await inPage('overWebSocket', MEGABYTES_10, `ws://${url}/`)).to.deep.equal(whole);
  });
});
