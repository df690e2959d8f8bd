/** createNet on hosts of ours: what Node's own net cannot show. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as machine from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { DNSError } from '../../src/net/errors.ts';
import { createDgram } from '../../src/node/dgram/dgram.ts';
import { httpAgent, serveHttp } from '../../src/node/http.ts';
import { createNet, type HostNet } from '../../src/node/net/net.ts';
import { secure } from '../../src/node/net/secure.ts';
import type { Server } from '../../src/node/net/server.ts';
import type { Socket } from '../../src/node/net/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { connectedHosts, type Pair, pattern, SERVER_ADDRESS, thrown } from '../support/pair.ts';

describe('net between two hosts', () => {
  let pair: Pair;
  let near: HostNet;
  let far: HostNet;

  beforeEach(() => {
    pair = connectedHosts();
    near = createNet(pair.client);
    far = createNet(pair.server);
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
    expect([...pair.client.sockets(), ...pair.server.sockets()], 'sockets').to.deep.equal([]);
    expect([pair.client.open.size, pair.server.open.size], 'open').to.deep.equal([0, 0]);
  });

  /** A server on port 80, a client, and the server's end. */
  async function connected(host?: string): Promise<{ server: Server; here: Socket; there: Socket }> {
    const server = far.createServer();
    if (host === undefined) server.listen(80);
    else server.listen(80, host);
    await pair.run(once(server, 'listening'));
    const here = near.connect(80, SERVER_ADDRESS);
    const [[there]] = await pair.run(Promise.all([once(server, 'connection'), once(here, 'connect')]));
    return { server, here, there: there as Socket };
  }

  it('a server without a host takes both families: peers of IPv4 have mapped addresses, as in Node', async () => {
    const { server, here, there } = await connected();
    expect(server.address()).to.deep.equal({ address: '::', family: 'IPv6', port: 80 });
    expect(there.address()).to.deep.equal({ address: '::ffff:10.9.0.2', family: 'IPv6', port: 80 });
    expect(there.remoteAddress).to.equal('::ffff:10.9.0.1');
    expect(there.remoteFamily).to.equal('IPv6');
    expect(here.remoteAddress).to.equal('10.9.0.2');
    expect(here.remoteFamily).to.equal('IPv4');
  });

  it('a server on an address of IPv4 prints those', async () => {
    const { there } = await connected(SERVER_ADDRESS);
    expect(there.remoteAddress).to.equal('10.9.0.1');
    expect(there.address()).to.deep.equal({ address: '10.9.0.2', family: 'IPv4', port: 80 });
  });

  it('the octet of Diffserv: before there is a connection, and after', async () => {
    const { here, there } = await connected();
    expect(here.setTypeOfService(0xb8)).to.equal(here);
    expect([here.getTypeOfService(), there.getTypeOfService()]).to.deep.equal([0xb8, 0]);
    const early = new near.Socket({ typeOfService: 0x20 });
    expect(early.getTypeOfService()).to.equal(0x20);
    early.connect(80, SERVER_ADDRESS);
    await pair.run(once(early, 'connect'));
    expect(early.getTypeOfService()).to.equal(0x20);
    for (const [wrong, code] of [
      [256, 'ERR_OUT_OF_RANGE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [1.5, 'ERR_OUT_OF_RANGE'],
      ['1', 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      expect(thrown(() => here.setTypeOfService(wrong as number))).to.include({ code });
      expect(thrown(() => new near.Socket({ typeOfService: wrong as number }))).to.include({ code });
    }
  });

  it('a host that ends at once leaves to its peers what was written, and an end, as a process does that exits', async () => {
    const { here, there } = await connected();
    const seen: unknown[] = [];
    for (const name of ['data', 'end', 'error']) there.on(name, (what) => seen.push(name, what && String(what)));
    here.write('last words');
    await pair.client.close({ timeout: 0, orderly: true });
    await pair.run(once(there, 'close'));
    expect(seen).to.deep.equal(['data', 'last words', 'end', undefined]);
  });

  it('reads no more than somebody wants: the peer has to wait', async () => {
    const { here, there } = await connected();
    there.pause();
    let written = false;
    here.write(Buffer.alloc(64 * 1024 * 1024), () => {
      written = true;
    });
    await pair.clock.advance(60_000);
    expect(written).to.equal(false);
    expect(there.bytesRead).to.be.at.most(2 * 65_536);
    expect(here.bytesWritten).to.equal(64 * 1024 * 1024);
    here.destroy();
    there.on('error', () => {}).resume();
    await pair.run(once(there, 'close'));
  });

  it('gives all bytes in their order, to a reader that pauses', async () => {
    const { here, there } = await connected();
    const bytes = Buffer.from(pattern(3_000_000));
    here.end(bytes);
    const chunks: Buffer[] = [];
    there.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      there.pause();
      setImmediate(() => there.resume());
    });
    await pair.run(once(there, 'end'));
    expect(Buffer.compare(Buffer.concat(chunks), bytes)).to.equal(0);
  });

  it('writes that wait when the socket is destroyed are cancelled', async () => {
    const { here, there } = await connected();
    there.on('error', () => {}).pause();
    const told: string[] = [];
    here.write(Buffer.alloc(32_000_000), (error) => told.push(`${error?.message}`));
    here.write('more', (error) => told.push(`${error?.message}`));
    await pair.clock.advance(10);
    here.destroy();
    const [hadError] = await once(here, 'close');
    expect([hadError, ...told]).to.deep.equal([false, 'write ECANCELED', 'write ECANCELED']);
  });

  it('what was read stays as it is, whatever comes after', async () => {
    const { here, there } = await connected();
    const chunks: Buffer[] = [];
    there.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const letter of 'abcd') {
      here.write(letter.repeat(1000));
      await pair.clock.advance(10);
    }
    expect(chunks.map((chunk) => `${chunk.length}${chunk[0]}${chunk[999]}`)).to.deep.equal([
      '10009797',
      '10009898',
      '10009999',
      '1000100100',
    ]);
  });

  it('gives up on an address that does not answer, and tries the next', async () => {
    const { server } = await connected();
    const lookup = (_name: string, _options: unknown, callback: (error: null, list: unknown[]) => void) =>
      process.nextTick(callback, null, [
        { address: '10.9.0.77', family: 4 },
        { address: SERVER_ADDRESS, family: 4 },
      ]);
    const events: string[] = [];
    const socket = near.connect({ port: 80, host: 'some.test', lookup, autoSelectFamilyAttemptTimeout: 300 });
    for (const name of ['connectionAttempt', 'connectionAttemptTimeout', 'connectionAttemptFailed', 'connect'])
      socket.on(name, (address = '') => events.push(`${pair.clock.now().toFixed(0)} ${name} ${address}`));
    const from = pair.clock.now();
    await pair.run(once(socket, 'connect'));
    expect(pair.clock.now() - from).to.be.within(300, 301);
    expect(events.map((text) => text.replace(/^\d+ /, ''))).to.deep.equal([
      'connectionAttempt 10.9.0.77',
      'connectionAttemptTimeout 10.9.0.77',
      'connectionAttempt 10.9.0.2',
      'connect ',
    ]);
    expect(socket.autoSelectFamilyAttemptedAddresses).to.deep.equal(['10.9.0.77:80', '10.9.0.2:80']);
    expect(server.listening).to.equal(true);
  });

  it('a peer that is gone: ETIMEDOUT', async () => {
    const { here } = await connected();
    pair.cut();
    here.write('into the dark');
    const [error] = await pair.run(once(here, 'error'));
    expect(error).to.include({ message: 'read ETIMEDOUT', code: 'ETIMEDOUT', errno: -110, syscall: 'read' });
  });

  it('an address without a way there: ENETUNREACH', async () => {
    const socket = near.connect(80, '192.0.2.1');
    const [error] = await pair.run(once(socket, 'error'));
    expect(error).to.include({ code: 'ENETUNREACH', syscall: 'connect', address: '192.0.2.1', port: 80 });
    expect(error.message).to.match(/^connect ENETUNREACH 192\.0\.2\.1:80 - Local \(/);
  });

  it('a name that nobody knows: ENOTFOUND', async () => {
    const socket = near.connect(80, 'nobody.invalid');
    const [error] = await pair.run(once(socket, 'error'));
    expect(error).to.include({ message: 'getaddrinfo ENOTFOUND nobody.invalid', code: 'ENOTFOUND', errno: -3008 });
    expect(error).to.include({ syscall: 'getaddrinfo', hostname: 'nobody.invalid' });
    const server = near.createServer().listen(80, 'nobody.invalid');
    expect((await pair.run(once(server, 'error')))[0]).to.include({ code: 'ENOTFOUND' });
  });

  it('peers on a block list are turned away, and not connected to', async () => {
    const blockList = new machine.BlockList();
    blockList.addAddress('10.9.0.1');
    const server = far.createServer({ blockList }).listen(80);
    server.on('connection', () => expect.fail('a connection'));
    const turned = near.connect(80, SERVER_ADDRESS);
    turned.resume();
    await pair.run(once(turned, 'close'));
    const list = new machine.BlockList();
    list.addAddress(SERVER_ADDRESS);
    const [error] = await pair.run(once(near.connect({ port: 80, host: SERVER_ADDRESS, blockList: list }), 'error'));
    expect(error).to.include({ code: 'ERR_IP_BLOCKED', message: 'IP(10.9.0.2) is blocked by net.BlockList' });
  });

  it('several addresses, all on the block list', async () => {
    const blockList = new machine.BlockList();
    blockList.addSubnet('10.9.0.0', 24);
    const lookup = (_name: string, _options: unknown, callback: (error: null, list: unknown[]) => void) =>
      process.nextTick(callback, null, [
        { address: '10.9.0.2', family: 4 },
        { address: '10.9.0.3', family: 4 },
      ]);
    const socket = new near.Socket({ blockList }).connect({ port: 80, host: 'some.test', lookup });
    const [error] = await pair.run(once(socket, 'error'));
    expect(error).to.be.instanceOf(AggregateError).and.include({ code: 'ERR_IP_BLOCKED' });
    expect((error as AggregateError).errors).to.have.length(2);
    expect(thrown(() => new near.Socket({ blockList: [] as never }))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => near.createServer({ blockList: [] as never }))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('a server of no connections drops them all', async () => {
    const server = far.createServer(() => expect.fail('a connection')).listen(80);
    server.maxConnections = 0;
    near.connect(80, SERVER_ADDRESS);
    const [dropped] = await pair.run(once(server, 'drop'));
    expect(dropped).to.include({ remoteAddress: '::ffff:10.9.0.1', localPort: 80 });
  });

  it('a host is a text, and has no null byte', () => {
    expect(thrown(() => near.connect({ port: 1, host: ['10.9.0.2'] }))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrown(() => near.connect({ port: 1, host: '10.9.0.2\0.test' }))).to.include({
      code: 'ERR_INVALID_ARG_VALUE',
    });
  });

  it('keepalive, one by one and as an object', async () => {
    for (const set of [
      (socket: Socket) => socket.setKeepAlive(true, 10_000, 2000, 3),
      (socket: Socket) => socket.setKeepAlive({ enable: true, initialDelay: 10_000, interval: 2000, count: 3 }),
    ]) {
      const { server, here } = await connected();
      expect(set(here)).to.equal(here);
      pair.cut();
      let error: Error | undefined;
      here.on('error', (reason) => {
        error = reason;
      });
      await pair.clock.advance(15_900);
      expect(error).to.equal(undefined);
      await pair.clock.advance(200);
      expect(error).to.include({ code: 'ETIMEDOUT' });
      pair.mend();
      server.close();
    }
  });

  it('a host that closes takes its sockets and servers with it', async () => {
    const { server, here, there } = await connected();
    const ends = Promise.all([server, there, here].map((one) => once(one, 'close')));
    await pair.run(pair.server.close());
    await pair.run(ends);
    const late = far.connect(80, '10.9.0.1');
    expect((await pair.run(once(late, 'error')))[0]).to.include({ code: 'ENETDOWN' });
  });

  it('what is no handle: pause, names, and bytes of a prototype', () => {
    const socket = new near.Socket();
    expect(socket).to.be.instanceOf(near.Socket).and.instanceOf(near.Stream);
    expect(near.Socket()).to.be.instanceOf(near.Socket);
    expect(near.Server()).to.be.instanceOf(near.Server);
    expect(near.Socket.name).to.equal('Socket');
    expect((near.Socket.prototype as Socket).bytesWritten).to.equal(undefined);
    expect(socket.constructor).to.equal(near.Socket);
    class Own extends near.Socket {}
    expect(new Own()).to.be.instanceOf(Own).and.instanceOf(near.Socket);
    expect(new near.Socket()).not.to.be.instanceOf(Own);
  });
});

describe('net over a slow link', () => {
  it('timeouts run on the clock of the host; a write that gets on is traffic', async () => {
    const pair = connectedHosts({ rate: 8_000_000 });
    const server = createNet(pair.server)
      .createServer((socket) => socket.resume())
      .listen(80);
    const here = createNet(pair.client).connect(80, SERVER_ADDRESS);
    await pair.run(once(here, 'connect'));
    let timeouts = 0;
    here.setTimeout(5000, () => timeouts++);
    here.write(Buffer.alloc(64_000_000));
    await pair.clock.advance(30_000);
    expect(timeouts).to.equal(0);
    pair.cut();
    await pair.clock.advance(12_000);
    expect(timeouts).to.equal(1);
    expect(server.listening).to.equal(true);
    await pair.close();
  });
});

describe('net between two hosts of IPv6', () => {
  it('link-local addresses have their zone, by name', async () => {
    const clock = new VirtualClock();
    const [one, two] = createPipe();
    const client = createHost({ links: [{ link: one, name: 'left', address: '2001:db8::1/64' }], clock, seed: 1 });
    const host = createHost({ links: [{ link: two, name: 'right', address: '2001:db8::2/64' }], clock, seed: 2 });
    const [near, far] = [createNet(client), createNet(host)];
    const linkLocal = host.addresses.find(({ isLinkLocal }) => isLinkLocal)?.withZone(0);
    const server = far.createServer().listen(80, `${linkLocal}%right`);
    await clock.run({ until: once(server, 'listening') });
    expect(server.address()).to.deep.equal({ address: `${linkLocal}%right`, family: 'IPv6', port: 80 });
    const here = near.connect(80, `${linkLocal}%left`);
    const [[there]] = await clock.run({ until: Promise.all([once(server, 'connection'), once(here, 'connect')]) });
    expect(here.remoteAddress).to.equal(`${linkLocal}%left`);
    expect((there as Socket).remoteAddress).to.match(/^fe80::[0-9a-f:]+%right$/);
    const [error] = await clock.run({ until: once(near.connect(80, `${linkLocal}`), 'error') });
    expect(error).to.include({ code: 'EINVAL', syscall: 'connect' });
    await Promise.all([client.close({ timeout: 0 }), host.close({ timeout: 0 })]);
  });
});

describe('net on a host of loopback: true', () => {
  const host = createHost({ loopback: true });
  const net = createNet(host);

  after(() => host.close());

  it('127.0.0.0/8 and ::1 are its own, and localhost is both', async () => {
    const server = net.createServer((socket) => socket.end(`${socket.remoteAddress}`)).listen(0);
    const { port } = server.address() as AddressInfo;
    const answers: string[] = [];
    for (const name of ['127.0.0.1', '127.9.8.7', '::1', 'localhost']) {
      const socket = net.connect(port, name).setEncoding('utf8');
      const [text] = await once(socket, 'data');
      answers.push(text as string);
    }
    expect(answers.slice(0, 3)).to.deep.equal(['::ffff:127.0.0.1', '::ffff:127.0.0.1', '::1']);
    expect(answers[3]).to.be.oneOf(['::1', '::ffff:127.0.0.1']);
    server.close();
  });

  it("who listens on Node's diagnostics channels sees it", async () => {
    const told: string[] = [];
    const names = ['net.client.socket', 'net.server.socket', 'tracing:net.server.listen:asyncStart'];
    names.push('tracing:net.server.listen:asyncEnd', 'tracing:net.server.listen:error');
    const listeners = names.map((name) => [
      name,
      (message: unknown) => told.push(`${name} ${Object.keys(message as object)}`),
    ]);
    for (const [name, listener] of listeners as [string, () => void][]) subscribe(name, listener);
    const server = net.createServer((socket) => socket.end()).listen(8080);
    const other = net.createServer().listen(8080);
    await once(other, 'error');
    const socket = net.connect(8080, '127.0.0.1');
    await once(socket.resume(), 'close');
    server.close();
    for (const [name, listener] of listeners as [string, () => void][]) unsubscribe(name, listener);
    expect(told).to.deep.equal([
      'tracing:net.server.listen:asyncStart server,options',
      'tracing:net.server.listen:asyncEnd server',
      'tracing:net.server.listen:asyncStart server,options',
      'tracing:net.server.listen:error server,error',
      'net.client.socket socket',
      'net.server.socket socket',
    ]);
  });

  it('a server listens on an address of its name that is not link-local, if there is one', async () => {
    const resolver = { lookupHost: async () => ['fe80::1', 'febf::1', '127.0.0.7', '::1'] };
    const other = createHost({ loopback: true, resolver });
    const server = createNet(other).createServer().listen(80, 'some.test');
    await once(server, 'listening');
    expect(server.address()).to.deep.equal({ address: '127.0.0.7', family: 'IPv4', port: 80 });
    await other.close();
  });

  it('a resolver that cannot say now: EAI_AGAIN', async () => {
    const resolver = {
      lookupHost: (name: string) => Promise.reject(new DNSError('busy', name, { isTemporary: true })),
    };
    const other = createHost({ loopback: true, resolver });
    const [error] = await once(createNet(other).connect(80, 'some.test'), 'error');
    expect(error).to.include({ code: 'EAI_AGAIN', errno: -3001, message: 'getaddrinfo EAI_AGAIN some.test' });
    await other.close();
  });

  it('takes no link', () => {
    expect(thrown(() => createHost({ loopback: true, address: '10.9.0.1/24' })).message).to.equal(
      'createHost: a host of loopback: true has no link and no address of its own',
    );
    expect(thrown(() => createHost({ loopback: 1 as unknown as boolean })).message).to.contain('true or false');
  });

  it("http over it: Node's client and server", async () => {
    const http = createHttpServer((incoming: IncomingMessage, response) => {
      response.end(`${incoming.method} ${incoming.url} from ${incoming.socket.remoteAddress}`);
    });
    const server = net.createServer((socket) => http.emit('connection', socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connect = () => net.connect(port, '127.0.0.1') as unknown as machine.Socket;
    const outgoing = request({ method: 'POST', path: '/there', createConnection: connect }).end('body');
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    expect(text).to.equal('POST /there from 127.0.0.1');
    server.close();
    await once(server, 'close');
  });

  it("paths are the machine's, as ever", async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tunstack-net-'));
    const name = path.join(directory, 'socket');
    try {
      const server = net.createServer((socket) => socket.end('over a path')).listen(name);
      await once(server, 'listening');
      expect(server.address()).to.equal(name);
      for (const socket of [net.connect(name), new net.Socket().connect(name)]) {
        expect(socket).to.be.instanceOf(net.Socket);
        const chunks: Buffer[] = [];
        for await (const chunk of socket) chunks.push(chunk as Buffer);
        expect(Buffer.concat(chunks).toString()).to.equal('over a path');
      }
      server.close();
      await once(server, 'close');
      const [error] = await once(new net.Socket().connect(name), 'error');
      expect(error).to.include({
        code: 'ENOENT',
        syscall: 'connect',
        address: name,
        message: `connect ENOENT ${name}`,
      });
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });

  it('what is no host, no listener, no stream is a TypeError that says so', () => {
    const calls = { createNet, createDgram, serveHttp, httpAgent, secure } as unknown as Record<
      string,
      (v: unknown) => void
    >;
    for (const [name, call] of Object.entries(calls))
      for (const value of [undefined, null, 5, Symbol('s'), {}])
        expect(() => call(value)).to.throw(TypeError, `${name}: the`);
  });
});
