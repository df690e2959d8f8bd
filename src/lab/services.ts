/** What the lab's host offers: a web server on port 80 and an echo on port 7. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TCPConn } from '../net/tcp-conn.ts';
import type { TCPListener } from '../net/tcp-listener.ts';
import { ConnDuplex } from '../node/duplex.ts';
import { serveHttp } from '../node/http.ts';
import { ladderOf } from './flow-ladder.ts';
import type { Lab } from './lab.ts';
import { countersPage, PATHS, page, socketsPage } from './page.ts';

export const HTTP_PORT = 80;
export const ECHO_PORT = 7;

/** Starts both. @returns what ends them at once */
export async function startServices(lab: Lab): Promise<() => void> {
  const { host, network } = lab;
  const server = createServer((request, response) => {
    answer(lab, request, response).catch((error: Error) => response.destroy(error));
  });
  // A transfer may take its time: the lab is there to watch it.
  server.requestTimeout = 0;
  const http = serveHttp(await host.listen('tcp', `${network.host}:${HTTP_PORT}`), server);
  const echo = await host.listen('tcp', `${network.host}:${ECHO_PORT}`);
  void echoAll(echo);
  return () => {
    echo[Symbol.dispose]();
    server.closeAllConnections();
    void http.close();
  };
}

async function answer(lab: Lab, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] as string;
  if (request.method === 'POST' || request.method === 'PUT') return say(response, 200, await digest(request));
  const bytes = /^\/bytes\/(\d{1,15})$/.exec(path)?.[1];
  if (bytes !== undefined) return sendBytes(response, Number(bytes), request.method === 'HEAD');
  if (path === '/') return say(response, 200, pageFor(lab, request));
  if (path === '/sockets') return say(response, 200, socketsPage(lab.host));
  if (path === '/counters') return say(response, 200, countersPage(lab.host));
  say(response, 404, `There is nothing at ${path}. There is\n\n${PATHS.map((line) => `  ${line}\n`).join('')}`);
}

function pageFor(lab: Lab, { socket }: IncomingMessage): string {
  const local = `${socket.localAddress}:${socket.localPort}`;
  const remote = `${socket.remoteAddress}:${socket.remotePort}`;
  const flow = lab.recorder.find(local, remote);
  const info = socket instanceof ConnDuplex ? (socket as ConnDuplex).tcpInfo() : undefined;
  return page({ local, remote, info, ladder: flow === undefined ? [] : ladderOf(flow, lab, false) });
}

function say(response: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length });
  response.end(body);
}

/** Streams so many bytes; their low byte counts up. */
async function sendBytes(response: ServerResponse, length: number, headOnly: boolean): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': length });
  if (headOnly) return void response.end();
  await pipeline(Readable.from(pieces(length)), response).catch(() => {});
}

function* pieces(length: number): Generator<Buffer> {
  const piece = Buffer.from(Uint8Array.from({ length: 65_536 }, (_, i) => i));
  for (let left = length; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}

async function digest(request: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    length += chunk.length;
  }
  return `${length} bytes, SHA-256 ${hash.digest('hex')}\n`;
}

async function echoAll(listener: TCPListener): Promise<void> {
  try {
    for await (const conn of listener) void echo(conn);
  } catch {
    // The link is gone: whoever watches it says so.
  }
}

/** RFC 862: what comes goes back, until the peer ends. */
async function echo(conn: TCPConn): Promise<void> {
  try {
    for await (const chunk of conn) await conn.write(chunk);
  } catch {
    // The peer gave up: the live view says so.
  } finally {
    conn[Symbol.dispose]();
  }
}
