/**
 * Programs as anybody writes them, which know nothing of tunstack: run by register.test.ts with and without `--import tunstack/register`. Each prints what
 * it saw, which is to be the same.
 */
import { fork, spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo, createServer as createNamedServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import express from 'express';
import fastify from 'fastify';
import { request as undiciRequest } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import { certificate, key } from '../support/certificate.ts';
import { tlsScenes } from './register-tls-scenes.ts';
import { listening, type Scene, textOf, until } from './register-tools.ts';

/** Whether the kernel has a socket that listens on that port. */
function kernelListens(port: number): boolean {
  const hexadecimal = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return ['tcp', 'tcp6'].some((name) =>
    readFileSync(`/proc/net/${name}`, 'utf8')
      .split('\n')
      .some((line) => line.slice(0, 60).includes(hexadecimal) && / 0A /.test(line)),
  );
}

const scenes: Record<string, Scene> = {
  ...tlsScenes,

  async where() {
    const server = createNamedServer();
    const found = kernelListens(await listening(server));
    server.close();
    return found;
  },

  async http() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const peers = new Set<number | undefined>();
    const server = http.createServer(async (incoming, response) => {
      peers.add(incoming.socket.remotePort);
      response.setHeader('X-Length', (await textOf(incoming)).length);
      response.end(`${incoming.method} ${incoming.url}`);
    });
    const port = await listening(server);
    const ask = async (options: http.RequestOptions, body = '') => {
      const request = http.request({ port, host: '127.0.0.1', agent, ...options });
      request.end(body);
      const answer = (await until(request, 'response')) as http.IncomingMessage;
      return [answer.statusCode, answer.headers['x-length'], await textOf(answer)];
    };
    const answers = [await ask({ path: '/a' }), await ask({ path: '/b', method: 'POST' }, 'x'.repeat(300_000))];
    const request = http.request({ port, host: 'localhost', headers: { Expect: '100-continue' }, method: 'PUT' });
    request.flushHeaders();
    await until(request, 'continue');
    request.end('late');
    const put = (await until(request, 'response')) as http.IncomingMessage;
    answers.push([put.statusCode, put.headers['x-length'], await textOf(put)]);
    // Two requests in one write.
    const raw = net.connect(port, '127.0.0.1');
    raw.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const pipelined = (await textOf(raw)).match(/GET \/\d/g);
    agent.destroy();
    server.close();
    return { answers, pipelined, connections: peers.size };
  },

  async https() {
    const server = https.createServer({ cert: certificate, key }, (incoming, response) => {
      const { encrypted, remoteFamily } = incoming.socket as tls.TLSSocket;
      response.end(`${incoming.url} ${encrypted} ${remoteFamily} ${(incoming.socket as tls.TLSSocket).getProtocol()}`);
    });
    const port = await listening(server);
    const request = https.get({ port, host: 'localhost', servername: 'some.test', ca: certificate, path: '/s' });
    const answer = (await until(request, 'response')) as http.IncomingMessage;
    const { authorized } = answer.socket as tls.TLSSocket;
    const text = await textOf(answer);
    const stranger = https.get({ port, host: 'localhost' });
    const refused = await new Promise((resolve) =>
      stranger.once('error', (error) => resolve((error as { code?: string }).code)),
    );
    server.close();
    server.closeAllConnections();
    return { text, authorized, refused };
  },

  async tls() {
    const server = tls.createServer({ cert: certificate, key, ALPNProtocols: ['echo'] }, (socket) =>
      socket.pipe(socket),
    );
    const port = await listening(server);
    const socket = tls.connect(port, 'localhost', {
      ca: certificate,
      servername: 'some.test',
      ALPNProtocols: ['echo'],
    });
    await until(socket, 'secureConnect');
    socket.end('over tls');
    const text = await textOf(socket);
    server.close();
    return [text, socket.alpnProtocol, socket instanceof net.Socket];
  },

  async http2() {
    const results: unknown[] = [];
    const respond = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.respond({ ':status': 200 });
      stream.end(`h2 ${headers[':path']}`);
    };
    for (const [server, scheme] of [
      [http2.createSecureServer({ cert: certificate, key }), 'https'],
      [http2.createServer(), 'http'],
    ] as const) {
      server.on('stream', respond);
      const port = await listening(server as unknown as net.Server);
      const client = http2.connect(`${scheme}://localhost:${port}`, { ca: certificate, servername: 'some.test' });
      const texts = await Promise.all(
        [1, 2, 3].map((i) => textOf(client.request({ ':path': `/${i}` }).setEncoding('utf8'))),
      );
      results.push(texts);
      client.close();
      server.close();
    }
    return results;
  },

  /** A request, and the end of the stream with it: it is answered all the same. */
  async halfClosed() {
    const server = http.createServer((incoming, response) => {
      incoming.resume().on('end', () => response.end('all there'));
    });
    const raw = net.connect(await listening(server), '127.0.0.1');
    raw.end(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(40_000)}`);
    const text = await textOf(raw);
    server.close();
    return text.match(/all there/)?.[0];
  },

  /** http2 knows whether its socket is connected, and where to. */
  async http2Connecting() {
    const server = http2.createServer();
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond();
      stream.end(String(stream.session?.socket.remoteFamily));
    });
    const port = await listening(server as unknown as net.Server);
    const client = http2.connect(`http://127.0.0.1:${port}`);
    const before = [client.connecting, client.socket.connecting];
    const connected = until(client, 'connect');
    const text = await textOf(client.request().setEncoding('utf8'));
    await connected;
    const { remoteAddress, remotePort } = client.socket;
    client.close();
    server.close();
    await until(server as unknown as net.Server, 'close');
    const nobody = http2.connect(`http://127.0.0.1:${port}`);
    const seen: string[] = [];
    nobody.once('connect', () => seen.push('connect'));
    nobody.on('error', (error) => seen.push(String((error as { code?: string }).code)));
    await new Promise((resolve) => nobody.once('close', resolve));
    return { before, text, remoteAddress, isPort: remotePort === port, seen };
  },

  /** The end of a TLS connection that the server keeps has an answer, which is no error. */
  async tlsEnd() {
    const server = https.createServer({ cert: certificate, key }, (_, response) => response.end('kept'));
    const port = await listening(server);
    const seen: string[] = [];
    const agent = new https.Agent({ keepAlive: true, ca: certificate, servername: 'some.test' });
    const request = https.get({ port, host: 'localhost', agent });
    const answer = (await until(request, 'response')) as http.IncomingMessage;
    const { socket } = answer;
    socket.on('error', (error) => seen.push(error.message));
    const text = await textOf(answer);
    server.close();
    server.closeIdleConnections();
    if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
    return [text, seen];
  },

  /** With wrong options nothing connects, and a signal stops it. */
  async tlsNothing() {
    const accepted: string[] = [];
    const server = net.createServer((socket) => {
      accepted.push('accepted');
      socket.resume().end();
    });
    const port = await listening(server);
    const seen: unknown[] = [];
    try {
      tls.connect({ port, host: '127.0.0.1', ciphers: 'no such' });
    } catch (error) {
      seen.push((error as { code?: string }).code);
    }
    // Whoever connected before it was accepted before it.
    await textOf(net.connect(port, '127.0.0.1'));
    // What is behind the options is not looked at.
    const early = (tls.connect as (...all: unknown[]) => tls.TLSSocket)({ port, host: '127.0.0.1' }, 'nowhere');
    seen.push(
      await new Promise((resolve) => early.once('error', (error) => resolve((error as { code?: string }).code))),
    );
    const stop = new AbortController();
    const socket = tls.connect({ port, host: 'localhost', signal: stop.signal } as tls.ConnectionOptions);
    stop.abort();
    seen.push(await new Promise((resolve) => socket.once('error', ({ name }) => resolve(name))));
    await until(server.close(), 'close');
    return [seen, accepted];
  },

  async fetch() {
    const server = http.createServer(async (incoming, response) =>
      response.end(`got ${(await textOf(incoming)).length}`),
    );
    const port = await listening(server);
    const answer = await fetch(`http://localhost:${port}/`, { method: 'POST', body: 'y'.repeat(100_000) });
    const { body } = await undiciRequest(`http://127.0.0.1:${port}/`);
    const texts = [await answer.text(), await body.text()];
    server.close();
    server.closeAllConnections();
    return texts;
  },

  async express() {
    const app = express();
    app.use(express.json());
    app.post('/sum', (incoming, response) => {
      response.json({ sum: incoming.body.reduce((a: number, b: number) => a + b, 0), ip: incoming.ip });
    });
    const server = app.listen(0);
    await until(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/sum`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '[1,2,3]',
    });
    const json = await answer.json();
    server.close();
    server.closeAllConnections();
    return json;
  },

  async fastify() {
    const app = fastify();
    app.get('/hello/:name', async ({ params }) => ({ hello: (params as { name: string }).name }));
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const json = await (await fetch(`${address}/hello/lab`)).json();
    app.server.closeAllConnections();
    await app.close();
    return json;
  },

  async ws() {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
    const port = await listening(server);
    const client = new WebSocket(`ws://localhost:${port}`);
    await until(client, 'open');
    const [big, text] = [Buffer.alloc(300_000, 7), 'hello'];
    client.send(big);
    const echoed = (await until(client, 'message')) as Buffer;
    client.send(text);
    const word = String(await until(client, 'message'));
    client.close();
    await until(client, 'close');
    sockets.close();
    server.close();
    return [echoed.equals(big), word];
  },

  async errors() {
    const server = net.createServer();
    const port = await listening(server);
    const twice = net.createServer().listen(port);
    const inUse = await new Promise((resolve) =>
      twice.once('error', (error) => resolve((error as { code?: string }).code)),
    );
    server.close();
    await until(server, 'close');
    const refused = await new Promise<NodeJS.ErrnoException & { port?: number }>((resolve) =>
      net.connect(port, '127.0.0.1').once('error', resolve as never),
    );
    // What packages that make sockets of their own use.
    const { _normalizeArgs: normalize } = net as unknown as { _normalizeArgs(args: unknown[]): never };
    const again = await new Promise<NodeJS.ErrnoException>((resolve) =>
      new net.Socket().once('error', resolve).connect(normalize([port, '127.0.0.1'])),
    );
    return [
      inUse,
      refused.code,
      refused.syscall,
      refused.message.replace(String(port), 'PORT'),
      refused.port === port,
    ].concat(again.code);
  },

  /** A program's listeners of a signal, and nobody else's. */
  async signals() {
    const seen: unknown[] = [];
    const alive = setInterval(() => {}, 1000);
    for (const how of ['on', 'once'] as const) {
      const came = new Promise<void>((resolve) => {
        process[how]('SIGTERM', function listener() {
          seen.push(how, how === 'on' && process.listenerCount('SIGTERM'));
          process.off('SIGTERM', listener);
          resolve();
        });
      });
      process.kill(process.pid, 'SIGTERM');
      await came;
    }
    clearInterval(alive);
    return seen;
  },

  /** What is no TCP is as it was. */
  async machine() {
    const place = path.join(tmpdir(), `tunstack-${process.pid}.sock`);
    const server = net.createServer((socket) => socket.end('path')).listen(place);
    await until(server, 'listening');
    const overPath = await textOf(net.connect(place));
    server.close();
    const cat = spawn('cat');
    cat.stdin.end('pipe');
    const piped = await textOf(cat.stdout);
    const child = fork(fileURLToPath(import.meta.url), ['child']);
    const message = await until(child, 'message');
    return { overPath, piped, message, isSocket: cat.stdout instanceof net.Socket, stdout: process.stdout.writable };
  },

  async cluster() {
    cluster.setupPrimary({ exec: fileURLToPath(import.meta.url), args: ['worker'] });
    const workers = [cluster.fork(), cluster.fork()];
    const ports = await Promise.all(workers.map((worker) => until(worker, 'message')));
    // Both workers share the port, which the kernel has.
    const program = `fetch("http://127.0.0.1:${ports[0]}/").then((a) => a.text()).then(console.log)`;
    const child = spawn(process.execPath, ['-e', program], { env: { ...process.env, NODE_OPTIONS: '' } });
    const found = (await textOf(child.stdout)).trim();
    for (const worker of workers) worker.kill();
    return [ports[0] === ports[1], kernelListens(ports[0] as number), found];
  },
};

if (process.argv[2] === 'child') {
  const server = net.createServer().listen(0, () => {
    process.send?.(['child', kernelListens((server.address() as AddressInfo).port)]);
    server.close();
    process.disconnect();
  });
} else if (process.argv[2] === 'worker') {
  const server = http
    .createServer((_, response) => response.end('from a worker'))
    .listen(0, () => {
      process.send?.((server.address() as AddressInfo).port);
    });
} else {
  for (const name of process.argv.slice(2)) {
    process.stdout.write(`${JSON.stringify({ [name]: await (scenes[name] as Scene)() })}\n`);
  }
}
