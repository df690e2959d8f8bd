import { expect } from 'chai';
import type { Host } from '../../src/host.ts';
import { errClosed, errDeadlineExceeded } from '../../src/net/errors.ts';
import type { ListenOptions } from '../../src/net/listen.ts';
import type { Control } from '../../src/net/net.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { TCPConn } from '../../src/net/tcp-conn.ts';
import { ECONNABORTED, ECONNRESET, EMFILE } from '../../src/socket/errno.ts';
import { IPV4_ANY } from '../../src/wire/address.ts';
import { connectedHosts, type Pair, pattern, rejection, thrown } from '../support/pair.ts';

describe('net/listen', () => {
  let pair: Pair;
  let client: Host;
  let server: Host;

  beforeEach(() => {
    pair = connectedHosts();
    ({ client, server } = pair);
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  const dial = (address = '10.9.0.2:80') => pair.run(client.dial('tcp', address));
  const wall = (ms: number) => pair.clock.wallNow() + ms;

  describe('errors', () => {
    const cases: [network: string, address: string, message: string][] = [
      ['foo', ':80', 'listen foo: unknown network foo'],
      ['tcp', '127.0.0.1', 'listen tcp: address 127.0.0.1: missing port in address'],
      ['tcp', ':65536', 'listen tcp: address 65536: invalid port'],
      ['tcp', 'nohost:80', 'listen tcp: lookup nohost: no such host'],
      ['tcp', '192.0.2.77:0', 'listen tcp 192.0.2.77:0: bind: cannot assign requested address'],
      ['tcp4', '[::1]:80', 'listen tcp4: address ::1: no suitable address found'],
    ];
    for (const [network, address, message] of cases) {
      it(message, async () => {
        expect((await rejection(server.listen(network, address))).message).to.equal(message);
      });
    }

    it('address already in use', async () => {
      await server.listen('tcp', '10.9.0.2:80');
      for (const address of ['10.9.0.2:80', ':80', '0.0.0.0:80']) {
        const error = (await rejection(server.listen('tcp', address))) as OpError;
        expect(error.message).to.equal(`listen tcp ${address}: bind: address already in use`);
        expect(error).to.include({ op: 'listen', code: 'EADDRINUSE', syscall: 'bind', errno: -98, source: undefined });
      }
      // Another address of the same port is free.
      await server.listen('tcp', '127.0.0.1:80');
    });

    const wrong: [address: unknown, options: unknown, message: RegExp][] = [
      [80, {}, /^listen: address must be a string/],
      [':80', { backlog: -1 }, /^listen: backlog must be an integer >= 0, got -1/],
      [':80', { backlog: 1.5 }, /^listen: backlog must be an integer >= 0, got 1.5/],
      [':80', { keepAlive: 'on' }, /^listen: keepAlive must be a number, got on/],
      [':80', { control: true }, /^listen: control must be a function/],
    ];
    for (const [address, options, message] of wrong) {
      it(`${message}`, async () => {
        expect((await rejection(server.listen('tcp', address as string, options as ListenOptions))).message).to.match(
          message,
        );
      });
    }

    it('operation was canceled, before it began', async () => {
      const error = await rejection(server.listen('tcp', ':80', { signal: AbortSignal.abort() }));
      expect(error.message).to.equal('listen tcp: operation was canceled');
    });
  });

  it('ends a lookup with its signal', async () => {
    const never = connectedHosts({ host: { resolver: { lookupHost: () => new Promise(() => {}) } } });
    const controller = new AbortController();
    const listening = rejection(never.server.listen('tcp', 'slow.example:80', { signal: controller.signal }));
    await never.clock.advance(5);
    controller.abort();
    expect((await listening).message).to.equal('listen tcp: lookup slow.example: operation was canceled');
    await never.close();
    expect(never.clock.pending.held).to.equal(0);
  });

  describe('addresses', () => {
    for (const [network, address, text] of [
      ['tcp', '10.9.0.2:80', '10.9.0.2:80'],
      ['tcp4', ':80', '0.0.0.0:80'],
      ['tcp4', '0.0.0.0:80', '0.0.0.0:80'],
      ['tcp4', '[::]:80', '0.0.0.0:80'],
      ['tcp6', ':80', '[::]:80'],
      ['tcp6', '[::]:80', '[::]:80'],
      ['tcp', ':80', '[::]:80'],
      ['tcp', '0.0.0.0:80', '[::]:80'],
      ['tcp', '[::ffff:0.0.0.0]:80', '[::]:80'],
      ['tcp', '[::]:80', '[::]:80'],
      ['tcp', '[::1]:80', '[::1]:80'],
      ['tcp', 'localhost:http', '127.0.0.1:80'],
    ] as const) {
      it(`of ${network} ${address} is ${text}`, async () => {
        const listener = await server.listen(network, address);
        expect(`${listener.addr()}`).to.equal(text);
        expect(listener.addr().network()).to.equal('tcp');
      });
    }

    for (const address of ['', ':', ':0', '10.9.0.2:0']) {
      it(`of '${address}' has a free port`, async () => {
        const listener = await server.listen('tcp', address);
        const other = await server.listen('tcp', address);
        expect(listener.addr().port).to.be.within(1024, 65_535);
        expect(other.addr().port).to.be.within(1024, 65_535).and.not.equal(listener.addr().port);
        await dial(`10.9.0.2:${listener.addr().port}`);
      });
    }
  });

  describe('control', () => {
    it('sees the socket before it is bound', async () => {
      const seen: unknown[] = [];
      await server.listen('tcp', ':80', { control: (network, address) => void seen.push([network, address]) });
      expect(seen).to.deep.equal([['tcp6', ':80']]);
    });

    it('can refuse, and then nothing is left', async () => {
      const control: Control = (_network, _address, socket) => {
        socket.bind({ address: IPV4_ANY, port: 80 });
        socket.listen(1);
        throw new Error('not here');
      };
      expect((await rejection(server.listen('tcp', ':80', { control }))).message).to.equal('listen tcp :80: not here');
      await server.listen('tcp', ':80');
    });
  });

  describe('accept', () => {
    it('gives a connection that is there, and waits for the next', async () => {
      const listener = await server.listen('tcp', ':80');
      const first = await dial();
      const accepted = await pair.run(listener.accept());
      expect(`${accepted.remoteAddr()}`).to.equal(`${first.localAddr()}`);
      expect(`${accepted.localAddr()}`).to.equal('10.9.0.2:80');
      const waiting = listener.accept();
      const second = await dial();
      expect(`${(await pair.run(waiting)).remoteAddr()}`).to.equal(`${second.localAddr()}`);
    });

    it('serves those who wait in order', async () => {
      const listener = await server.listen('tcp', ':80');
      const waiting = [1, 2, 3].map(() => listener.accept());
      const dialled = [await dial(), await dial(), await dial()];
      const accepted = await pair.run(Promise.all(waiting));
      expect(accepted.map((conn) => `${conn.remoteAddr()}`)).to.deep.equal(
        dialled.map((conn) => `${conn.localAddr()}`),
      );
    });

    it('gives a connection with the bytes that came before', async () => {
      const listener = await server.listen('tcp', ':80');
      const dialled = await dial();
      await pair.run(dialled.write(pattern(10)));
      dialled.close();
      await pair.clock.advance(10);
      const accepted = await pair.run(listener.accept());
      expect(await pair.run(accepted.read(new Uint8Array(99)))).to.equal(10);
      expect(await pair.run(accepted.read(new Uint8Array(99)))).to.equal(null);
    });

    it('fails at the deadline, exactly then', async () => {
      const listener = await server.listen('tcp', ':80');
      const start = pair.clock.now();
      listener.setDeadline(wall(300));
      const error = (await pair.run(rejection(listener.accept()))) as OpError;
      expect(pair.clock.now() - start).to.equal(300);
      expect(error.message).to.equal('accept tcp [::]:80: i/o timeout');
      expect(error.err).to.equal(errDeadlineExceeded);
      expect(error).to.include({ op: 'accept', timeout: true, temporary: true, source: undefined });
    });

    it('fails after the deadline even when a connection is there, and goes on when it is cleared', async () => {
      const listener = await server.listen('tcp', ':80');
      await dial();
      listener.setDeadline(wall(-1));
      expect(((await rejection(listener.accept())) as OpError).err).to.equal(errDeadlineExceeded);
      listener.setDeadline(null);
      expect(await pair.run(listener.accept())).to.be.instanceOf(TCPConn);
    });

    it('passes over connections that their peers gave up', async () => {
      const results = [-ECONNABORTED, -ECONNRESET];
      const control: Control = (_network, _address, socket) => {
        const accept = socket.accept.bind(socket);
        socket.accept = () => results.shift() ?? accept();
      };
      const listener = await server.listen('tcp', ':80', { control });
      const waiting = listener.accept();
      await dial();
      expect(await pair.run(waiting)).to.be.instanceOf(TCPConn);
      expect(results).to.deep.equal([]);
    });

    it('reports what else the socket says', async () => {
      const control: Control = (_network, _address, socket) => {
        socket.accept = () => -EMFILE;
      };
      const listener = await server.listen('tcp', ':80', { control });
      const error = (await rejection(listener.accept())) as OpError;
      expect(error.message).to.equal('accept tcp [::]:80: accept4: too many open files');
      expect(error).to.include({ code: 'EMFILE', timeout: false, temporary: true });
    });

    it('is ended by a signal', async () => {
      const listener = await server.listen('tcp', ':80');
      const controller = new AbortController();
      const aborted = rejection(listener.accept({ signal: controller.signal }));
      const waiting = listener.accept();
      controller.abort();
      expect((await aborted).message).to.equal('accept tcp [::]:80: operation was canceled');
      expect(((await rejection(listener.accept({ signal: controller.signal }))) as OpError).code).to.equal('ABORT_ERR');
      await dial();
      expect(await pair.run(waiting)).to.be.instanceOf(TCPConn);
    });
  });

  describe('close', () => {
    it('wakes all accepts', async () => {
      const listener = await server.listen('tcp', ':80');
      const waiting = [1, 2, 3].map(() => rejection(listener.accept()));
      listener.close();
      for (const error of await Promise.all(waiting)) {
        expect(error.message).to.equal('accept tcp [::]:80: use of closed network connection');
        expect((error as OpError).err).to.equal(errClosed);
      }
    });

    it('fails accepts after it, even when a connection was there', async () => {
      const listener = await server.listen('tcp', ':80');
      await dial();
      listener.close();
      expect(((await rejection(listener.accept())) as OpError).err).to.equal(errClosed);
    });

    it('is an error the second time; a deadline then is one without frills', async () => {
      const listener = await server.listen('tcp', ':80');
      listener.close();
      expect(thrown(() => listener.close()).message).to.equal('close tcp [::]:80: use of closed network connection');
      expect(thrown(() => listener.setDeadline(null))).to.equal(errClosed);
      expect(`${listener.addr()}`).to.equal('[::]:80');
      await listener[Symbol.asyncDispose]();
      listener[Symbol.dispose]();
    });

    it('resets connections that nobody accepted, and keeps the others', async () => {
      const listener = await server.listen('tcp', ':80');
      const kept = await dial();
      const accepted = await pair.run(listener.accept());
      const lost = await dial();
      await pair.clock.advance(10);
      listener.close();
      const error = (await pair.run(rejection(lost.read(new Uint8Array(1))))) as OpError;
      expect(error.code).to.equal('ECONNRESET');
      expect(((await pair.run(rejection(lost.write(pattern(1))))) as OpError).code).to.equal('EPIPE');
      await pair.run(kept.write(pattern(3)));
      expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(3);
    });

    it('frees the port at once, TIME-WAIT or not', async () => {
      const listener = await server.listen('tcp', ':80');
      const dialled = await dial();
      const accepted = await pair.run(listener.accept());
      accepted.close();
      await pair.clock.advance(10);
      dialled.close();
      await pair.clock.advance(10);
      listener.close();
      const again = await server.listen('tcp', ':80');
      await dial();
      expect(await pair.run(again.accept())).to.be.instanceOf(TCPConn);
    });
  });

  describe('iteration', () => {
    it('gives the connections, and ends quietly when the listener is closed', async () => {
      const listener = await server.listen('tcp', ':80');
      const seen: string[] = [];
      const serving = (async () => {
        for await (const conn of listener) seen.push(`${conn.remoteAddr()}`);
      })();
      const dialled = [await dial(), await dial()];
      await pair.clock.advance(10);
      listener.close();
      await serving;
      expect(seen).to.deep.equal(dialled.map((conn) => `${conn.localAddr()}`));
    });

    it('does not close the listener when the loop is left', async () => {
      const listener = await server.listen('tcp', ':80');
      await dial();
      for await (const _conn of listener) break;
      await dial();
      expect(await pair.run(listener.accept())).to.be.instanceOf(TCPConn);
    });

    it('throws what accept throws otherwise', async () => {
      const listener = await server.listen('tcp', ':80');
      listener.setDeadline(wall(10));
      const serving = (async () => {
        for await (const _conn of listener);
      })();
      expect(((await pair.run(rejection(serving))) as OpError).timeout).to.equal(true);
    });

    it('of a closed listener gives nothing', async () => {
      const listener = await server.listen('tcp', ':80');
      listener.close();
      for await (const _conn of listener) throw new Error('a connection');
    });
  });

  it('holds the process while it accepts, unless it is unref', async () => {
    const listener = await server.listen('tcp', ':80');
    const waiting = rejection(listener.accept());
    expect(pair.clock.pending.held).to.equal(1);
    listener.unref();
    expect(pair.clock.pending.held).to.equal(0);
    listener.ref();
    expect(pair.clock.pending.held).to.equal(1);
    listener.close();
    await waiting;
  });

  it('holds as many connections as the backlog says, and one more', async () => {
    const listener = await server.listen('tcp', ':80', { backlog: 2 });
    for (let i = 0; i < 3; i++) await dial();
    const late = rejection(client.dial('tcp', '10.9.0.2:80', { timeout: 500 }));
    expect(((await pair.run(late)) as OpError).timeout).to.equal(true);
    await pair.run(listener.accept());
    await dial();
  });
});
