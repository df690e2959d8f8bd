import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { OpError } from '../../src/net/op-error.ts';
import { ConnDuplex, duplex } from '../../src/node/duplex.ts';
import type { NodeNetError } from '../../src/node/node-error.ts';
import { type Connection, connectedHosts, type Pair, pattern, readFully, rejection } from '../support/pair.ts';

describe('node/duplex', () => {
  let pair: Pair;
  let connection: Connection;

  beforeEach(async () => {
    pair = connectedHosts();
    connection = await pair.connect();
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  /** The dialled end as a stream; the accepted one stays a connection. */
  const stream = (allowHalfOpen = false) => duplex(connection.dialled, { allowHalfOpen });
  const collect = async (from: Readable) => {
    const chunks: Buffer[] = [];
    for await (const chunk of from) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };

  it('writes to the connection, and ends it', async () => {
    const one = stream();
    one.write('hello ');
    one.end('world');
    const read = await pair.run(readFully(connection.accepted, 99));
    expect(Buffer.from(read).toString()).to.equal('hello world');
    expect(one.bytesWritten).to.equal(11);
    connection.accepted.close();
    one.resume();
    await pair.run(once(one, 'close'));
  });

  it('reads from the connection, to its end', async () => {
    const one = stream();
    const reading = collect(one);
    const bytes = pattern(300_000);
    await pair.run(connection.accepted.write(bytes).then(() => connection.accepted.closeWrite()));
    expect(Buffer.compare(await pair.run(reading), bytes)).to.equal(0);
    expect(one.bytesRead).to.equal(bytes.length);
  });

  it('reads no more than somebody wants: the peer has to wait', async () => {
    const one = stream();
    one.once('readable', () => {});
    const much = new Uint8Array(64 * 1024 * 1024);
    let written = false;
    const writing = connection.accepted.write(much).then(
      () => {
        written = true;
      },
      () => {},
    );
    await pair.clock.advance(60_000);
    expect(written).to.equal(false);
    expect(one.readableLength).to.be.at.most(2 * 65_536 + one.readableHighWaterMark);
    one.destroy();
    connection.accepted.close();
    await writing;
  });

  it('calls back when the stack has taken the bytes: a writer has to wait for the peer', async () => {
    const one = stream();
    let called = false;
    one.write(Buffer.alloc(64 * 1024 * 1024), () => {
      called = true;
    });
    expect(one.write('more')).to.equal(false);
    await pair.clock.advance(60_000);
    expect(called).to.equal(false);
    expect(one.bytesWritten).to.equal(64 * 1024 * 1024 + 4);
    one.destroy();
    await once(one, 'close');
  });

  it('corked, writes at once', async () => {
    const one = stream();
    const reading = connection.accepted.read(new Uint8Array(99));
    one.cork();
    for (const part of ['a', 'b', 'c']) one.write(part);
    one.uncork();
    expect(await pair.run(reading)).to.equal(3);
  });

  it('ends this side when the peer has ended, by default', async () => {
    const one = stream();
    one.resume();
    connection.accepted.closeWrite();
    await pair.run(once(one, 'close'));
    expect(await pair.run(connection.accepted.read(new Uint8Array(1)))).to.equal(null);
  });

  it('stays half open when it is told to', async () => {
    const one = stream(true);
    one.resume();
    connection.accepted.closeWrite();
    await pair.run(once(one, 'end'));
    expect(one.readyState).to.equal('writeOnly');
    const closed = once(one, 'close');
    one.end('late');
    expect((await pair.run(readFully(connection.accepted, 99))).length).to.equal(4);
    await pair.run(closed);
  });

  it('destroyed by hand, closes; with an error, resets', async () => {
    const one = stream();
    one.destroy();
    await once(one, 'close');
    expect(await pair.run(connection.accepted.read(new Uint8Array(1)))).to.equal(null);

    const other = await pair.connect();
    const broken = duplex(other.dialled);
    const error = new Error('enough');
    const failing = once(broken, 'error');
    broken.destroy(error);
    expect(await failing).to.deep.equal([error]);
    expect(((await pair.run(rejection(other.accepted.read(new Uint8Array(1))))) as OpError).code).to.equal(
      'ECONNRESET',
    );

    const third = await pair.connect();
    duplex(third.dialled).resetAndDestroy();
    expect(((await pair.run(rejection(third.accepted.read(new Uint8Array(1))))) as OpError).code).to.equal(
      'ECONNRESET',
    );
  });

  it('destroySoon waits for what is written', async () => {
    const one = stream();
    one.write(Buffer.alloc(1_000_000));
    one.destroySoon();
    expect((await pair.run(readFully(connection.accepted, 2_000_000))).length).to.equal(1_000_000);
    await pair.run(one.destroyed ? Promise.resolve([]) : once(one, 'close'));
  });

  it('reports a reset as net does', async () => {
    const one = stream();
    const failing = once(one, 'error');
    one.resume();
    connection.accepted.setLinger(0);
    connection.accepted.close();
    const [error] = (await pair.run(failing)) as [NodeNetError];
    expect(error).to.include({ message: 'read ECONNRESET', code: 'ECONNRESET', errno: -104, syscall: 'read' });
    expect(error.cause).to.be.instanceOf(OpError);
  });

  it('closes without an error when its connection is closed under it', async () => {
    const one = stream();
    one.resume();
    one.write(Buffer.alloc(64 * 1024 * 1024));
    await pair.clock.advance(10);
    connection.dialled.close();
    await once(one, 'close');
  });

  it('reports a broken pipe as net does', async () => {
    const one = stream(true);
    connection.accepted.close();
    await pair.clock.advance(10);
    const failing = once(one, 'error');
    one.write('a', () => void pair.clock.advance(100).then(() => one.write('b')));
    const [error] = (await failing) as [NodeNetError];
    expect(error).to.include({ message: 'write EPIPE', code: 'EPIPE', errno: -32, syscall: 'write' });
  });

  it('has no end left to send after a reset, and does not mind', async () => {
    const one = stream(true);
    connection.accepted.setLinger(0);
    connection.accepted.close();
    await pair.clock.advance(10);
    one.end();
    await once(one, 'finish');
    one.destroy();
  });

  it('shows IPv4 on a listener of both families as Node does, as mapped addresses', async () => {
    const listener = await pair.server.listen('tcp', ':0');
    const port = listener.addr().port;
    const [dialled, accepted] = await pair.run(
      Promise.all([pair.client.dial('tcp', `10.9.0.2:${port}`), listener.accept()]),
    );
    const one = duplex(accepted);
    expect(one).to.include({
      remoteAddress: '::ffff:10.9.0.1',
      remoteFamily: 'IPv6',
      localAddress: '::ffff:10.9.0.2',
      localFamily: 'IPv6',
    });
    expect(one.address()).to.deep.equal({ address: '::ffff:10.9.0.2', family: 'IPv6', port });
    expect(duplex(dialled)).to.include({ remoteAddress: '10.9.0.2', remoteFamily: 'IPv4' });
    expect(`${accepted.remoteAddr().ip}`).to.equal('10.9.0.1');
  });

  it('has the manners of net.Socket', () => {
    const one = stream();
    const { dialled } = connection;
    expect(one).to.include({
      remoteAddress: '10.9.0.2',
      remoteFamily: 'IPv4',
      remotePort: dialled.remoteAddr().port,
      localAddress: '10.9.0.1',
      localFamily: 'IPv4',
      localPort: dialled.localAddr().port,
      connecting: false,
      pending: false,
      readyState: 'open',
      bytesRead: 0,
      bytesWritten: 0,
      timeout: 0,
    });
    expect(one.address()).to.deep.equal({ address: '10.9.0.1', family: 'IPv4', port: dialled.localAddr().port });
    expect(one.setNoDelay().setKeepAlive(true, 1000).ref().unref().setTimeout(0)).to.equal(one);
    one.destroy();
    expect(one).to.include({ remoteAddress: undefined, localPort: undefined, readyState: 'closed', pending: true });
    expect(one.address()).to.deep.equal({});
    expect(one.setNoDelay().setKeepAlive(true)).to.equal(one);
  });

  it('emits timeout after silence, and after traffic starts anew', async () => {
    const one = stream();
    one.resume();
    const times: number[] = [];
    one.setTimeout(1000);
    one.on('timeout', () => times.push(pair.clock.now()));
    await pair.clock.advance(900);
    await pair.run(connection.accepted.write(pattern(1)));
    const start = pair.clock.now();
    await pair.clock.advance(950);
    expect(times).to.deep.equal([]);
    await pair.clock.advance(100);
    expect(times).to.deep.equal([start + 1000]);
    one.setTimeout(0);
    await pair.clock.advance(5000);
    expect(times.length).to.equal(1);
    expect(() => one.setTimeout(-1)).to.throw(RangeError);
  });

  it('emits no timeout after it was destroyed', async () => {
    const one = stream();
    one.setTimeout(1000, () => {
      throw new Error('timeout');
    });
    one.destroy();
    await pair.clock.advance(5000);
  });

  it('takes a callback for the timeout, once', async () => {
    const one = stream();
    let calls = 0;
    one.setTimeout(10, () => calls++);
    await pair.clock.advance(50);
    one.setTimeout(10);
    await pair.clock.advance(50);
    expect(calls).to.equal(1);
  });

  it('can be piped', async () => {
    const one = stream(true);
    const bytes = Buffer.from(pattern(2_000_000));
    const echoed: Buffer[] = [];
    const echoing = (async () => {
      const { accepted } = connection;
      for await (const chunk of accepted) await accepted.write(chunk);
      accepted.closeWrite();
    })();
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        echoed.push(chunk);
        callback();
      },
    });
    await pair.run(Promise.all([pipeline(Readable.from([bytes]), one, { end: true }), pipeline(one, sink), echoing]));
    expect(Buffer.compare(Buffer.concat(echoed), bytes)).to.equal(0);
  });

  describe('of a connection that is being dialled', () => {
    it('is connecting, keeps what is written, and says when it is there', async () => {
      const { listener } = connection;
      const one = duplex(pair.client.dial('tcp', `${listener.addr()}`));
      expect(one).to.include({ connecting: true, pending: true, readyState: 'opening', remoteAddress: undefined });
      expect(one).to.be.instanceOf(ConnDuplex);
      const events: string[] = [];
      for (const name of ['connect', 'ready']) one.on(name, () => events.push(name));
      one.setNoDelay(false).setKeepAlive(true, 5000).unref().ref();
      one.end('early');
      expect(one.bytesWritten).to.equal(5);
      const accepted = await pair.run(listener.accept());
      expect((await pair.run(readFully(accepted, 99))).length).to.equal(5);
      expect(events).to.deep.equal(['connect', 'ready']);
      expect(one).to.include({ connecting: false, pending: false, remoteAddress: '10.9.0.2' });
      accepted.close();
      one.resume();
      await pair.run(finished(one));
    });

    it('does as it was told before', async () => {
      const { listener } = connection;
      const one = duplex(pair.client.dial('tcp', `${listener.addr()}`));
      let timeouts = 0;
      one.unref().setTimeout(1000, () => timeouts++);
      one.resume();
      const [accepted] = await pair.run(Promise.all([listener.accept(), once(one, 'connect')]));
      await pair.clock.advance(500);
      expect(pair.clock.pending.held).to.equal(0);
      one.ref();
      expect(pair.clock.pending.held).to.equal(1);
      expect(timeouts).to.equal(0);
      await pair.clock.advance(600);
      expect(timeouts).to.equal(1);
      one.destroy();
      accepted.close();
    });

    it('fails as net does', async () => {
      const one = duplex(pair.client.dial('tcp', '10.9.0.2:1'));
      const [error] = (await pair.run(once(one, 'error'))) as [NodeNetError];
      expect(error).to.include({
        message: 'connect ECONNREFUSED 10.9.0.2:1',
        code: 'ECONNREFUSED',
        errno: -111,
        syscall: 'connect',
        address: '10.9.0.2',
        port: 1,
      });
      expect(one.destroyed).to.equal(true);
    });

    it('destroyed before, closes the connection that comes late', async () => {
      const { listener } = connection;
      const one = duplex(pair.client.dial('tcp', `${listener.addr()}`));
      let called: unknown;
      one.write('early', (error) => {
        called = error;
      });
      one.destroy();
      expect(one.connecting).to.equal(false);
      await once(one, 'close');
      const accepted = await pair.run(listener.accept());
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(null);
      expect(called).to.include({ code: 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION' });
    });
  });
});
