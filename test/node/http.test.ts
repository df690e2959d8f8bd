import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  type Agent,
  createServer,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  request,
  type Server,
} from 'node:http';
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { connectFunction, type HttpService, httpAgent, serveHttp } from '../../src/node/http.ts';
import type { NodeNetError } from '../../src/node/node-error.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { connectedHosts, pattern, rejection } from '../support/pair.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

interface Answer {
  readonly response: IncomingMessage;
  readonly body: Buffer;
  readonly remoteAddress: string | undefined;
}

describe('node/http', () => {
  let client: Host;
  let host: Host;
  let server: Server;
  let service: HttpService;
  let agent: Agent;
  /** Connections that the server got. */
  let connections: number;

  const big = Buffer.from(pattern(10_000_000));

  const handle: RequestListener = (incoming, response) => {
    if (incoming.url === '/big') response.end(big);
    else if (incoming.url === '/never') response.write('a beginning');
    else if (incoming.url === '/slow') setTimeout(() => response.end('at last'), 20);
    else if (incoming.url === '/address') response.end(`${incoming.socket.remoteAddress}`);
    else {
      const hash = createHash('sha256');
      incoming.on('data', (chunk: Buffer) => hash.update(chunk));
      incoming.on('end', () => response.end(`${incoming.method} ${incoming.url} ${hash.digest('hex')}`));
    }
  };

  beforeEach(async () => {
    const clock = new RealClock();
    const [near, far] = createPipe();
    client = createHost({ link: near, address: '10.9.0.1/24', clock, seed: 1 });
    host = createHost({ link: far, address: '10.9.0.2/24', clock, seed: 2 });
    server = createServer(handle);
    connections = 0;
    server.on('connection', () => connections++);
    service = serveHttp(await host.listen('tcp', ':80'), server);
    agent = httpAgent(client, { keepAlive: true });
  });

  afterEach(async () => {
    agent.destroy();
    server.closeAllConnections();
    await service.close();
    await Promise.all([client.close(), host.close()]);
  });

  const ask = async (options: RequestOptions, body?: Uint8Array): Promise<Answer> => {
    const outgoing = request({ host: '10.9.0.2', agent, ...options });
    outgoing.end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const { remoteAddress } = response.socket;
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { response, body: Buffer.concat(chunks), remoteAddress };
  };

  /** On a connection of its own. */
  const askAnew = () => ask({ agent: undefined, createConnection: connectFunction(client) as never });

  it('answers a request', async () => {
    const { response, body, remoteAddress } = await ask({ path: '/x' });
    expect(response.statusCode).to.equal(200);
    expect(body.toString()).to.equal(`GET /x ${sha256(new Uint8Array())}`);
    expect(remoteAddress).to.equal('10.9.0.2');
  });

  it('tells the server who asks', async () => {
    expect((await ask({ path: '/address' })).body.toString()).to.equal('::ffff:10.9.0.1');
  });

  it('keeps connections alive, and opens more when they are busy', async () => {
    for (let i = 0; i < 5; i++) await ask({ path: `/${i}` });
    expect(connections).to.equal(1);
    await Promise.all([1, 2, 3].map((i) => ask({ path: `/${i}` })));
    expect(connections).to.equal(3);
  });

  it('works without an agent, with createConnection', async () => {
    const { body } = await ask({ path: '/y', agent: undefined, createConnection: connectFunction(client) as never });
    expect(body.toString()).to.match(/^GET \/y /);
  });

  it('downloads 10 MB', async () => {
    const { body } = await ask({ path: '/big' });
    expect(sha256(body)).to.equal(sha256(big));
  });

  it('uploads 10 MB', async () => {
    const { body } = await ask({ path: '/up', method: 'POST' }, big);
    expect(body.toString()).to.equal(`POST /up ${sha256(big)}`);
  });

  it('does both at once, several times', async () => {
    const jobs = [1, 2, 3, 4].map((i) =>
      i % 2 === 0 ? ask({ path: '/big' }) : ask({ path: '/up', method: 'PUT' }, big),
    );
    for (const { body } of await Promise.all(jobs)) {
      if (body.length === big.length) expect(sha256(body)).to.equal(sha256(big));
      else expect(body.toString()).to.equal(`PUT /up ${sha256(big)}`);
    }
  });

  it('answers pipelined requests in order', async () => {
    const conn = await client.dial('tcp', '10.9.0.2:80');
    const requests = ['/1', '/2', '/3'].map(
      (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${path === '/3' ? 'Connection: close\r\n' : ''}\r\n`,
    );
    await conn.write(Buffer.from(requests.join('')));
    const text = await readAll(conn);
    expect(text.match(/GET \/\d/g)).to.deep.equal(['GET /1', 'GET /2', 'GET /3']);
    conn.close();
  });

  it('answers a client that has ended its side', async () => {
    const conn = await client.dial('tcp', '10.9.0.2:80');
    await conn.write(Buffer.from('GET /half HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    conn.closeWrite();
    expect(await readAll(conn)).to.match(/^HTTP\/1\.1 200 OK.*GET \/half /s);
    conn.close();
  });

  it('answers it late, too, when the server allows that', async () => {
    Object.assign(server, { httpAllowHalfOpen: true });
    const conn = await client.dial('tcp', '10.9.0.2:80');
    await conn.write(Buffer.from('GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    conn.closeWrite();
    expect(await readAll(conn)).to.match(/^HTTP\/1\.1 200 OK.*at last/s);
    conn.close();
  });

  it('sees a client go in the middle of a body', async () => {
    const aborted = new Promise<IncomingMessage>((resolve) => {
      server.once('request', (incoming: IncomingMessage) => incoming.once('close', () => resolve(incoming)));
    });
    const outgoing = request({
      host: '10.9.0.2',
      agent,
      method: 'POST',
      path: '/up',
      headers: { 'Content-Length': big.length },
    });
    const failing = once(outgoing, 'error');
    outgoing.write(big.subarray(0, 100_000));
    await once(server, 'request');
    outgoing.destroy(new Error('enough'));
    expect(((await failing) as [Error])[0].message).to.equal('enough');
    const incoming = await aborted;
    expect(incoming.complete).to.equal(false);
    // The server goes on.
    expect((await ask({ path: '/on' })).body.toString()).to.match(/^GET \/on /);
  });

  it('tells a client that the server went in the middle of an answer', async () => {
    const outgoing = request({ host: '10.9.0.2', agent, path: '/never' });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    await once(response, 'data');
    server.closeAllConnections();
    const [error] = (await once(response, 'error')) as [NodeNetError];
    expect(error.code).to.equal('ECONNRESET');
  });

  it('refuses as net does when nobody listens', async () => {
    const error = (await rejection(ask({ port: 81 }))) as NodeNetError;
    expect(error).to.include({ message: 'connect ECONNREFUSED 10.9.0.2:81', code: 'ECONNREFUSED', port: 81 });
  });

  it('reports a name that cannot be resolved', async () => {
    const error = (await rejection(ask({ host: 'nohost' }))) as NodeNetError;
    expect(error).to.include({
      message: 'getaddrinfo ENOTFOUND nohost',
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname: 'nohost',
    });
  });

  it('ends a dial with its request', async () => {
    const outgoing = request({ host: '10.9.0.77', agent });
    const failing = once(outgoing, 'error');
    outgoing.end();
    await new Promise((resolve) => setImmediate(resolve));
    outgoing.destroy();
    await failing;
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.sockets()).to.deep.equal([]);
  });

  it('emits the timeout of a request', async () => {
    const outgoing = request({ host: '10.9.0.2', agent, path: '/never', timeout: 20 });
    outgoing.on('error', () => {});
    outgoing.end();
    await once(outgoing, 'timeout');
    outgoing.destroy();
  });

  describe('close', () => {
    it('ends idle connections and accepts no more', async () => {
      await ask({ path: '/x' });
      await service.close();
      expect(((await rejection(askAnew())) as NodeNetError).code).to.equal('ECONNREFUSED');
      await service.ended;
    });

    it('lets a request finish', async () => {
      const asking = ask({ path: '/big' });
      await once(server, 'request');
      const closing = service.close();
      expect(sha256((await asking).body)).to.equal(sha256(big));
      await closing;
    });

    it('of the server closes the listener too', async () => {
      server.close();
      await service.ended;
      expect(((await rejection(askAnew())) as NodeNetError).code).to.equal('ECONNREFUSED');
    });
  });

  it('works in virtual time', async () => {
    const pair = connectedHosts({ latency: 30 });
    const virtual = createServer(handle);
    const serving = serveHttp(await pair.server.listen('tcp', ':80'), virtual);
    const dialling = httpAgent(pair.client);
    const answering = new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: '10.9.0.2', agent: dialling, path: '/v' }, resolve).on('error', reject).end();
    });
    const response = await pair.run(answering);
    // The handshake and the request: two round trips of 60 ms.
    expect(pair.clock.now()).to.equal(120);
    response.resume();
    await pair.run(once(response, 'close'));
    dialling.destroy();
    await pair.run(serving.close());
    await pair.close();
  });
});

async function readAll(conn: TCPConn): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of conn) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
