/** What runs in the page, bundled: hosts of tunstack in a browser. Everything here is called by name through `globalThis.tunstackPage`. */
import { createHost, createPipe, type Host, IpAddress, type Link } from '../../src/index.ts';
import {
  createConnect,
  linkFromMessagePort,
  linkFromWebSocket,
  type PacketPort,
  type PacketWebSocket,
} from '../../src/web.ts';

/** A byte of the file at `i`. */
export const byteAt = (i: number): number => (Math.imul(i, 31) >> 4) & 0xff;

/** Serves a file of that pattern over HTTP, as many bytes as the path says: `GET /10485760`. */
export async function serve(host: Host, address: string): Promise<void> {
  const listener = await host.listen('tcp', address);
  for await (const conn of listener) {
    const request = new TextDecoder().decode((await conn.readChunk()) ?? new Uint8Array());
    const length = Number(/^GET \/(\d+) /.exec(request)?.[1] ?? 0);
    await conn.write(
      new TextEncoder().encode(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`),
    );
    const body = new Uint8Array(65_536);
    for (let at = 0; at < length; at += body.length) {
      for (let i = 0; i < body.length; i++) body[i] = byteAt(at + i);
      await conn.write(body.subarray(0, Math.min(body.length, length - at)));
    }
    conn.close();
  }
}

export interface Fetched {
  readonly status: string;
  readonly length: number;
  /** Bytes that are not what they should be. */
  readonly wrong: number;
}

/** Fetches the file with the `connect()` of the web, and looks at every byte. */
export async function fetchFile(host: Host, address: string, length: number): Promise<Fetched> {
  const socket = createConnect(host)(address, { allowHalfOpen: true });
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(`GET /${length} HTTP/1.1\r\nHost: page\r\n\r\n`));
  let head = '';
  let status = '';
  let at = 0;
  let wrong = 0;
  const reader = socket.readable.getReader();
  for (let { value, done } = await reader.read(); !done && value !== undefined; { value, done } = await reader.read()) {
    let start = 0;
    while (status === '' && start < value.length) {
      head += String.fromCharCode(value[start++] as number);
      if (head.endsWith('\r\n\r\n')) status = head.slice(0, head.indexOf('\r\n'));
    }
    for (let i = start; i < value.length; i++) if (value[i] !== byteAt(at++)) wrong++;
  }
  await writer.close();
  return { status, length: at, wrong };
}

/** A host of the page at the end of a link; the other end is 10.9.0.2 and fd00::2. */
function pageHost(link: Link): Host {
  return createHost({ link, address: ['10.9.0.1/24', '2001:db8::1/64'] });
}

/** Two hosts in the page. */
async function overPipe(length: number): Promise<Fetched> {
  const [left, right] = createPipe();
  const server = createHost({ link: right, address: ['10.9.0.2/24', '2001:db8::2/64'] });
  serve(server, '[2001:db8::2]:80').catch(() => {});
  const client = pageHost(left);
  const fetched = await fetchFile(client, '[2001:db8::2]:80', length);
  await Promise.all([client.close(), server.close()]);
  return fetched;
}

/** One host in the page, the other in a worker. */
async function overWorker(length: number, script: string): Promise<Fetched> {
  const { Worker } = globalThis as unknown as { Worker: new (url: string) => PacketPort & { terminate(): void } };
  const worker = new Worker(script);
  const host = pageHost(linkFromMessagePort(worker));
  const fetched = await fetchFile(host, '10.9.0.2:80', length);
  await host.close();
  worker.terminate();
  return fetched;
}

/** One host in the page, the other at the other end of a WebSocket. */
async function overWebSocket(length: number, url: string): Promise<Fetched> {
  const { WebSocket } = globalThis as unknown as { WebSocket: new (url: string) => PacketWebSocket };
  const host = pageHost(linkFromWebSocket(new WebSocket(url)));
  const fetched = await fetchFile(host, '10.9.0.2:80', length);
  await host.close();
  return fetched;
}

/** In a worker: the host at the other end. */
function serveWorker(): void {
  const link = linkFromMessagePort(globalThis as unknown as PacketPort);
  serve(createHost({ link, address: '10.9.0.2/24' }), '10.9.0.2:80').catch(() => {});
}

Object.assign(globalThis, {
  tunstackPage: {
    overPipe,
    overWorker,
    overWebSocket,
    serveWorker,
    address: (text: string) => `${IpAddress.parse(text)}`,
  },
});
