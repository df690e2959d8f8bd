/** `connect()` as WinterTC has it. */
import { expect } from 'chai';
import { type BytePair, createConnect, Socket, SocketError } from '../../src/web/connect.ts';
import { connectedHosts, type Pair, SERVER_ADDRESS } from '../support/pair.ts';

const bytes = (words: string) => new TextEncoder().encode(words);

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

async function readText(readable: BytePair['readable']): Promise<string> {
  let words = '';
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) words += new TextDecoder().decode(chunk);
  return words;
}

describe('web: connect', () => {
  let pair: Pair;
  beforeEach(() => {
    pair = connectedHosts();
  });
  afterEach(() => pair.close());

  /** An echo server that ends when its client does; its port. */
  async function echo(): Promise<number> {
    const listener = await pair.server.listen('tcp', `${SERVER_ADDRESS}:0`);
    (async () => {
      for await (const conn of listener) conn.readable.pipeTo(conn.writable).catch(() => {});
    })().catch(() => {});
    return listener.addr().port;
  }

  it('what is written before the connection is there waits for it; opened tells its ends', async () => {
    const port = await echo();
    const socket = createConnect(pair.client)({ hostname: SERVER_ADDRESS, port }, { allowHalfOpen: true });
    expect([socket.upgraded, socket.secureTransport]).to.deep.equal([false, 'off']);
    const writer = socket.writable.getWriter();
    const done = Promise.all([writer.write(bytes('hello')), writer.close(), readText(socket.readable), socket.closed]);
    const [, , words] = await pair.run(done);
    expect(words).to.equal('hello');
    const { remoteAddress, localAddress, alpn } = await socket.opened;
    expect([remoteAddress, alpn]).to.deep.equal([`${SERVER_ADDRESS}:${port}`, null]);
    expect(localAddress).to.match(/^10\.9\.0\.1:\d+$/);
  });

  it('without allowHalfOpen the end of the readable ends the writable', async () => {
    const listener = await pair.server.listen('tcp', `${SERVER_ADDRESS}:0`);
    const accepting = listener.accept();
    const socket = createConnect(pair.client)(listener.addr().toString());
    const conn = await pair.run(accepting);
    await pair.run(conn.write(bytes('bye')));
    conn.closeWrite();
    expect(await pair.run(readText(socket.readable))).to.equal('bye');
    await pair.run(socket.closed);
    expect(await pair.run(conn.read(new Uint8Array(1)))).to.equal(null);
    await socket.writable.getWriter().closed;
  });

  it('close ends both directions: the readable as cancelled, the writable as aborted with the reason', async () => {
    const listener = await pair.server.listen('tcp', `${SERVER_ADDRESS}:0`);
    const accepting = listener.accept();
    const socket = createConnect(pair.client)(listener.addr().toString());
    await pair.run(socket.opened);
    const conn = await pair.run(accepting);
    const byob = (socket.readable as ReadableStream).getReader({ mode: 'byob' });
    const reading = byob.read(new Uint8Array(10));
    const writer = socket.writable.getWriter();
    const writing = failure(writer.write(new Uint8Array(8_000_000)));
    await pair.clock.advance(10);
    const reason = new Error('enough');
    const closed = socket.close(reason);
    expect(closed).to.equal(socket.closed);
    await pair.run(closed);
    expect((await reading).done).to.equal(true);
    expect(await writing).to.be.an('error');
    expect(await failure(writer.closed)).to.equal(reason);
    expect(pair.client.sockets().filter(({ state }) => state === 'ESTABLISHED')).to.deep.equal([]);
    conn.close();
  });

  it('close gives the bytes that were written, and needs no reason', async () => {
    const listener = await pair.server.listen('tcp', `${SERVER_ADDRESS}:0`);
    const accepting = listener.accept();
    const socket = createConnect(pair.client)(listener.addr().toString());
    const conn = await pair.run(accepting);
    await pair.run(socket.writable.getWriter().write(bytes('last words')));
    await pair.run(socket.close());
    expect(await pair.run(readText(conn.readable))).to.equal('last words');
    expect(await failure(socket.writable.close())).to.be.an('error');
  });

  it('close before the connection is there ends the dialling: opened fails, closed does not', async () => {
    pair.cut();
    const socket = createConnect(pair.client)(`${SERVER_ADDRESS}:80`);
    const opened = failure(socket.opened);
    await pair.clock.advance(100);
    await pair.run(socket.close());
    expect(await opened).to.be.instanceOf(SocketError);
    expect(pair.client.sockets()).to.deep.equal([]);
  });

  it('a refused connection fails opened, closed and both streams with a SocketError', async () => {
    const socket = createConnect(pair.client)(`${SERVER_ADDRESS}:1`);
    const error = await failure(pair.run(socket.opened));
    expect(error).to.be.instanceOf(SocketError).and.instanceOf(TypeError);
    expect(error.message).to.match(/^SocketError: dial tcp 10\.9\.0\.2:1: connect: connection refused$/);
    expect(await failure(socket.closed)).to.be.instanceOf(SocketError);
    expect((await failure(socket.readable.getReader().read())).message).to.match(/connection refused$/);
    expect((await failure(socket.writable.getWriter().write(bytes('x')))).message).to.match(/connection refused$/);
  });

  it('a reset fails closed', async () => {
    const listener = await pair.server.listen('tcp', `${SERVER_ADDRESS}:0`);
    const accepting = listener.accept();
    const socket = createConnect(pair.client)(listener.addr().toString());
    const conn = await pair.run(accepting);
    const reading = failure(socket.readable.getReader().read());
    conn.setLinger(0);
    conn.close();
    expect((await pair.run(reading)).message).to.match(/connection reset by peer$/);
    expect((await failure(socket.closed)).message).to.match(/^SocketError: read tcp .*connection reset by peer$/);
  });

  it('TLS is what is handed in: on from the start, or by startTls', async () => {
    const port = await echo();
    const asked: string[] = [];
    // A cipher that every newcomer knows.
    const rot = () =>
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (chunk, controller) => controller.enqueue(chunk.map((byte) => byte ^ 1)),
      });
    const connect = createConnect(pair.client, {
      secure: async (plain, { servername, alpn }) => {
        asked.push(`${servername} ${alpn}`);
        const [inward, outward] = [rot(), rot()];
        outward.readable.pipeTo(plain.writable).catch(() => {});
        return {
          readable: plain.readable.pipeThrough(inward),
          writable: outward.writable as never,
          alpn: alpn[0] ?? null,
        };
      },
    });
    const address = `${SERVER_ADDRESS}:${port}`;
    const on = connect(address, { secureTransport: 'on', sni: 'example.com', alpn: ['h2'], allowHalfOpen: true });
    const plain = connect(address, { secureTransport: 'starttls', allowHalfOpen: true });
    const hold = plain.readable.getReader();
    expect(() => plain.startTls()).to.throw(SocketError, 'release its lock first');
    hold.releaseLock();
    const later = plain.startTls();
    await plain.closed;
    expect([plain.upgraded, later.secureTransport, later instanceof Socket]).to.deep.equal([true, 'on', true]);
    expect(() => plain.startTls()).to.throw(SocketError, 'called before');
    for (const socket of [on, later]) {
      const writer = socket.writable.getWriter();
      const [, , words] = await pair.run(
        Promise.all([writer.write(bytes('secret')), writer.close(), readText(socket.readable), socket.closed]),
      );
      expect(words).to.equal('secret');
    }
    expect((await on.opened).alpn).to.equal('h2');
    expect(asked).to.have.members(['example.com h2', `${SERVER_ADDRESS} `]);
  });

  it('close of a socket under TLS ends its streams, and opened when TLS is still to come', async () => {
    const port = await echo();
    const connect = createConnect(pair.client, { secure: () => new Promise(() => {}) });
    const socket = connect(`${SERVER_ADDRESS}:${port}`, { secureTransport: 'on' });
    const opened = failure(socket.opened);
    const reading = socket.readable.getReader().read();
    const writer = socket.writable.getWriter();
    await pair.clock.advance(100);
    const reason = new Error('enough');
    await pair.run(socket.close(reason));
    expect((await opened).message).to.equal('SocketError: the socket was closed before TLS was agreed on');
    expect((await reading).done).to.equal(true);
    expect(await failure(writer.closed)).to.equal(reason);
  });

  it('the end of the readable lets what was written before go out, through a writer too', async () => {
    const listener = await pair.server.listen('tcp', `${SERVER_ADDRESS}:0`);
    const accepting = listener.accept();
    const socket = createConnect(pair.client)(listener.addr().toString());
    const conn = await pair.run(accepting);
    const writer = socket.writable.getWriter();
    const size = 6_000_000;
    const writes = Promise.all([writer.write(new Uint8Array(size)), writer.write(bytes('end'))]);
    await pair.clock.advance(10);
    conn.closeWrite();
    const ended = readText(socket.readable);
    let length = 0;
    const received = (async () => {
      for await (const chunk of conn) length += chunk.length;
    })();
    await pair.run(Promise.all([ended, writes, received, socket.closed]));
    expect(length).to.equal(size + 3);
    expect((await failure(writer.write(bytes('late')))).message).to.equal('the peer has ended the connection');
  });

  it('takes an address as URLs have it', async () => {
    const port = await echo();
    const socket = createConnect(pair.client)(
      { hostname: `[${SERVER_ADDRESS}]`, port: `${port}` as never },
      null as never,
    );
    expect((await pair.run(socket.opened)).remoteAddress).to.match(new RegExp(`:${port}$`));
    await pair.run(socket.close());
  });

  it('refuses what is wrong at once', () => {
    const connect = createConnect(pair.client);
    const wrong = [
      ['10.9.0.2', /missing port/],
      [':80', /no host/],
      ['10.9.0.2:0', /port must be an integer from 1 to 65535/],
      ['10.9.0.2:http', /port must be/],
      [{ hostname: '', port: 1 }, /hostname/],
      [{ hostname: 'a', port: 70_000 }, /port/],
      [undefined, /hostname/],
    ] as const;
    for (const [address, message] of wrong) expect(() => connect(address as string)).to.throw(SocketError, message);
    expect(() => connect('a:1', { secureTransport: 'on' })).to.throw(SocketError, /needs TLS/);
    expect(() => connect('a:1', { secureTransport: 'tls' as 'on' })).to.throw(TypeError, /must be off, on or starttls/);
    expect(() => connect('a:1', 1 as never)).to.throw(TypeError, /options must be an object/);
    expect(() => connect('a:1', { sni: 1 as never })).to.throw(TypeError, /sni must be a string/);
    expect(() => connect('a:1', { alpn: 'h2' as never })).to.throw(TypeError, /alpn must be an array/);
    expect(() => createConnect(pair.client, { secure: 1 as never })).to.throw(TypeError, /secure must be a function/);
    const socket = connect(`${SERVER_ADDRESS}:9`);
    expect(() => socket.startTls()).to.throw(SocketError, /not made with/);
  });
});
