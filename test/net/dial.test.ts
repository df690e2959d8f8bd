import { expect } from 'chai';
import type { Host } from '../../src/host.ts';
import { type DialOptions, shareOfTime } from '../../src/net/dial.ts';
import {
  AddrError,
  CanceledError,
  DialTimeoutError,
  DNSError,
  errTimeout,
  SyscallError,
} from '../../src/net/errors.ts';
import type { Control } from '../../src/net/net.ts';
import type { OpError } from '../../src/net/op-error.ts';
import type { Resolver } from '../../src/net/resolver.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { EADDRNOTAVAIL } from '../../src/socket/errno.ts';
import { IPV4_LOOPBACK, IpAddress } from '../../src/wire/address.ts';
import { connectedHosts, type Pair, rejection } from '../support/pair.ts';

const NOBODY = '10.9.0.77';

describe('net/dial', () => {
  let pair: Pair;
  let client: Host;

  const start = (resolver?: Resolver) => {
    pair = connectedHosts(resolver === undefined ? {} : { host: { resolver } });
    client = pair.client;
  };
  const fail = async (network: string, address: string, options?: DialOptions) =>
    (await pair.run(rejection(client.dial(network, address, options)))) as OpError;

  beforeEach(() => start());
  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
    expect(client.sockets(), 'sockets').to.deep.equal([]);
  });

  describe('errors before there is an address', () => {
    const cases: [network: string, address: string, message: string][] = [
      ['foo', '10.9.0.2:80', 'dial foo: unknown network foo'],
      ['ip', '10.9.0.2:80', 'dial ip: unknown network ip'],
      ['tcp', '', 'dial tcp: missing address'],
      ['tcp', '127.0.0.1', 'dial tcp: address 127.0.0.1: missing port in address'],
      ['tcp', '::1', 'dial tcp: address ::1: too many colons in address'],
      ['tcp', ':65536', 'dial tcp: address 65536: invalid port'],
      ['tcp', ':☺', 'dial tcp: lookup tcp/☺: unknown port'],
      ['tcp4', '[::1]:80', 'dial tcp4: address ::1: no suitable address found'],
      ['tcp6', '10.9.0.2:80', 'dial tcp6: address 10.9.0.2: no suitable address found'],
      ['tcp', 'nohost:80', 'dial tcp: lookup nohost: no such host'],
    ];
    for (const [network, address, message] of cases) {
      it(message, async () => {
        const error = await fail(network, address);
        expect(error.message).to.equal(message);
        expect(error).to.include({ op: 'dial', net: network, source: undefined, addr: undefined });
      });
    }
  });

  describe('errors of an address', () => {
    it('connection refused', async () => {
      const error = await fail('tcp', '10.9.0.2:1');
      expect(error.message).to.equal('dial tcp 10.9.0.2:1: connect: connection refused');
      expect(error.err).to.be.instanceOf(SyscallError);
      expect(error).to.include({
        code: 'ECONNREFUSED',
        syscall: 'connect',
        errno: -111,
        timeout: false,
        temporary: false,
      });
      expect(`${error.addr}`).to.equal('10.9.0.2:1');
    });

    it('network is unreachable', async () => {
      const error = await fail('tcp', '192.0.2.1:80');
      expect(error.message).to.equal('dial tcp 192.0.2.1:80: connect: network is unreachable');
    });

    it('connection timed out, when the stack has given up', async () => {
      const error = await fail('tcp', `${NOBODY}:80`);
      expect(error.message).to.equal(`dial tcp ${NOBODY}:80: connect: connection timed out`);
      expect(error).to.include({ code: 'ETIMEDOUT', timeout: true, temporary: true });
      // Linux: 1 s and 4 more, then 2, 4, ... 64 s: tcp_syn_retries 6 after tcp_syn_linear_timeouts 4.
      expect(pair.clock.now()).to.be.greaterThan(60_000);
    });

    it('of IPv6', async () => {
      expect((await fail('tcp6', '[::1]:80')).message).to.equal('dial tcp6 [::1]:80: connect: connection refused');
      const error = await fail('tcp', '[2001:db8::1]:80');
      expect(error.message).to.equal('dial tcp [2001:db8::1]:80: connect: network is unreachable');
    });
  });

  describe('timeouts', () => {
    it('i/o timeout, exactly then', async () => {
      const error = await fail('tcp', `${NOBODY}:80`, { timeout: 250 });
      expect(pair.clock.now()).to.equal(250);
      expect(error.message).to.equal(`dial tcp ${NOBODY}:80: i/o timeout`);
      expect(error.err).to.equal(errTimeout);
      expect(error).to.include({ timeout: true, temporary: true, code: 'ERR_DIAL_TIMEOUT' });
      expect(client.sockets()).to.deep.equal([]);
    });

    it('take a deadline too, and the earlier of both', async () => {
      const deadline = pair.clock.wallNow() + 100;
      await fail('tcp', `${NOBODY}:80`, { deadline });
      expect(pair.clock.now()).to.equal(100);
      await fail('tcp', `${NOBODY}:80`, { timeout: 50, deadline: new Date(pair.clock.wallNow() + 80) });
      expect(pair.clock.now()).to.equal(150);
      await fail('tcp', `${NOBODY}:80`, { timeout: 500, deadline: new Date(pair.clock.wallNow() + 50) });
      expect(pair.clock.now()).to.equal(200);
    });

    it('that are over before still name the address', async () => {
      for (const options of [{ timeout: -1 }, { deadline: 0 }, { deadline: pair.clock.wallNow() }]) {
        const error = await fail('tcp', '10.9.0.2:80', options);
        expect(error.message).to.equal('dial tcp 10.9.0.2:80: i/o timeout');
      }
      expect(pair.clock.now()).to.equal(0);
    });

    it('of 0 or Infinity are none', async () => {
      const listener = await pair.server.listen('tcp', ':80');
      for (const timeout of [0, Infinity]) await pair.run(client.dial('tcp', '10.9.0.2:80', { timeout }));
      listener.close();
    });

    it('do not concern the connection', async () => {
      const { dialled } = await pair.connect({ dial: { timeout: 100 } });
      await pair.clock.advance(1000);
      expect(await pair.run(dialled.write(new Uint8Array(1)))).to.equal(1);
    });

    it('cover the lookup', async () => {
      await pair.close();
      const signals: (AbortSignal | undefined)[] = [];
      start({
        lookupHost: (_name, { signal }) => {
          signals.push(signal);
          return new Promise(() => {});
        },
      });
      const error = await fail('tcp', 'slow.example:80', { timeout: 70 });
      expect(pair.clock.now()).to.equal(70);
      expect(error.message).to.equal('dial tcp: lookup slow.example: i/o timeout');
      expect(error.err).to.be.instanceOf(DNSError);
      expect(error.timeout).to.equal(true);
      expect(signals[0]?.aborted).to.equal(true);
    });
  });

  describe('signals', () => {
    it('aborted before name the address', async () => {
      const error = await fail('tcp', '10.9.0.2:80', { signal: AbortSignal.abort() });
      expect(error.message).to.equal('dial tcp 10.9.0.2:80: operation was canceled');
      expect(error.err).to.be.instanceOf(CanceledError);
      expect(error).to.include({ timeout: false, temporary: false, code: 'ABORT_ERR' });
    });

    it('end a dial, with their reason', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const dialling = rejection(client.dial('tcp', `${NOBODY}:80`, { signal: controller.signal }));
      await pair.clock.advance(1500);
      controller.abort(reason);
      const error = (await dialling) as OpError;
      expect(error.message).to.equal(`dial tcp ${NOBODY}:80: operation was canceled`);
      expect(error.err.cause).to.equal(reason);
    });

    it('of AbortSignal.timeout are an i/o timeout', async () => {
      const error = await fail('tcp', '10.9.0.2:80', {
        signal: AbortSignal.abort(new DOMException('late', 'TimeoutError')),
      });
      expect(error.message).to.equal('dial tcp 10.9.0.2:80: i/o timeout');
      expect(error.err).to.be.instanceOf(DialTimeoutError);
    });

    it('leave no connection behind, however late the answer is', async () => {
      const listener = await pair.server.listen('tcp', ':80');
      const controller = new AbortController();
      const dialling = rejection(client.dial('tcp', '10.9.0.2:80', { signal: controller.signal }));
      const accepting = listener.accept();
      // The SYN is on its way when nobody wants its answer any more.
      await Promise.resolve();
      controller.abort();
      await dialling;
      await pair.clock.advance(100);
      expect(client.sockets()).to.deep.equal([]);
      listener.close();
      await rejection(accepting);
    });

    it('have no effect on the connection once it is there', async () => {
      const controller = new AbortController();
      const { dialled, accepted } = await pair.connect({ dial: { signal: controller.signal } });
      controller.abort();
      await pair.run(dialled.write(new Uint8Array(3)));
      expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(3);
      dialled.close();
    });

    it('end a lookup', async () => {
      await pair.close();
      start({ lookupHost: () => new Promise(() => {}) });
      for (const late of [true, false]) {
        const controller = new AbortController();
        if (!late) controller.abort();
        const dialling = rejection(client.dial('tcp', 'slow.example:80', { signal: controller.signal }));
        await pair.clock.advance(5);
        if (late) controller.abort();
        expect((await dialling).message).to.equal('dial tcp: lookup slow.example: operation was canceled');
      }
    });
  });

  describe('this host', () => {
    for (const [network, address, remote] of [
      ['tcp', ':8080', '127.0.0.1:8080'],
      ['tcp4', ':8080', '127.0.0.1:8080'],
      ['tcp', '0.0.0.0:8080', '127.0.0.1:8080'],
      ['tcp', 'localhost:8080', '127.0.0.1:8080'],
      ['tcp', '127.0.0.9:8080', '127.0.0.9:8080'],
      ['tcp', '10.9.0.1:8080', '10.9.0.1:8080'],
    ] as const) {
      it(`is dialled as ${network} ${address}`, async () => {
        const listener = await client.listen('tcp', ':8080');
        const conn = await pair.run(client.dial(network, address));
        expect(`${conn.remoteAddr()}`).to.equal(remote);
        conn[Symbol.dispose]();
        listener.close();
        await pair.clock.advance(100_000);
      });
    }

    it('names the address as it was given, when nobody listens', async () => {
      expect((await fail('tcp', ':1')).message).to.equal('dial tcp :1: connect: connection refused');
      expect((await fail('tcp', '0.0.0.0:1')).message).to.equal('dial tcp 0.0.0.0:1: connect: connection refused');
    });
  });

  describe('localAddr', () => {
    it('is this end', async () => {
      const { dialled } = await pair.connect({ dial: { localAddr: new TCPAddr('10.9.0.1', 5000) } });
      expect(`${dialled.localAddr()}`).to.equal('10.9.0.1:5000');
    });

    for (const [what, localAddr] of [
      ['nothing', new TCPAddr(undefined, 0)],
      ['0.0.0.0', new TCPAddr('0.0.0.0', 0)],
      ['::', new TCPAddr('::', 0)],
      ['an address alone', new TCPAddr('10.9.0.1', 0)],
      ['a port alone', new TCPAddr(undefined, 5001)],
    ] as const) {
      it(`may be ${what}`, async () => {
        const { dialled } = await pair.connect({ dial: { localAddr } });
        expect(`${dialled.localAddr().ip}`).to.equal('10.9.0.1');
        if (localAddr.port !== 0) expect(dialled.localAddr().port).to.equal(localAddr.port);
      });
    }

    it('may go with no remote address: this host, at that very address (Linux)', async () => {
      const listener = await client.listen('tcp', ':8080');
      const conn = await pair.run(client.dial('tcp', ':8080', { localAddr: new TCPAddr('10.9.0.1', 0) }));
      expect(`${conn.localAddr().ip} ${conn.remoteAddr()}`).to.equal('10.9.0.1 10.9.0.1:8080');
      listener.close();
    });

    it('must be of the family of the target', async () => {
      const error = await fail('tcp', '10.9.0.2:80', { localAddr: new TCPAddr('::1', 0) });
      expect(error.message).to.equal('dial tcp: address [::1]:0: no suitable address found');
      expect(error.err).to.be.instanceOf(AddrError);
      const other = await fail('tcp', '[::1]:80', { localAddr: new TCPAddr('10.9.0.1', 0) });
      expect(other.message).to.equal('dial tcp: address 10.9.0.1:0: no suitable address found');
      const any = await fail('tcp4', '10.9.0.2:80', { localAddr: new TCPAddr('::', 0) });
      expect(any.message).to.equal('dial tcp4 [::]:0->10.9.0.2:80: address ::: non-IPv4 address');
    });

    it('must be a TCPAddr', async () => {
      const other = { network: () => 'udp', toString: () => ':0' };
      const error = await fail('tcp', '10.9.0.2:80', { localAddr: other as never });
      expect(error.message).to.equal('dial tcp: address :0: mismatched local address type');
    });

    it('must be of this host', async () => {
      const error = await fail('tcp', '10.9.0.2:80', { localAddr: new TCPAddr('192.0.2.77', 0) });
      expect(error.message).to.equal('dial tcp 192.0.2.77:0->10.9.0.2:80: bind: cannot assign requested address');
      expect(error).to.include({ code: 'EADDRNOTAVAIL', syscall: 'bind' });
    });

    it('must be free', async () => {
      const listener = await client.listen('tcp', '10.9.0.1:5000');
      const error = await fail('tcp', '10.9.0.2:80', { localAddr: new TCPAddr('10.9.0.1', 5000) });
      expect(error.message).to.equal('dial tcp 10.9.0.1:5000->10.9.0.2:80: bind: address already in use');
      listener.close();
    });
  });

  describe('control', () => {
    it('sees the socket before it is connected', async () => {
      const seen: unknown[] = [];
      await fail('tcp', '10.9.0.2:1', { control: (network, address) => void seen.push([network, address]) });
      expect(seen).to.deep.equal([['tcp4', '10.9.0.2:1']]);
    });

    it('can refuse', async () => {
      const refusal = new Error('not this one');
      const control = () => {
        throw refusal;
      };
      const error = await fail('tcp', '10.9.0.2:1', { control });
      expect(error.message).to.equal('dial tcp 10.9.0.2:1: not this one');
      expect(error.cause).to.equal(refusal);
    });
  });

  // What Go does behind the caller's back, as long as the local port is left to the stack.
  describe('retries', () => {
    const unavailable = (times: number) => {
      let sockets = 0;
      const control: Control = (_network, _address, socket) => {
        if (++sockets <= times) socket.connect = () => -EADDRNOTAVAIL;
      };
      return { control, sockets: () => sockets };
    };

    it('an address that was not available, twice', async () => {
      const { control, sockets } = unavailable(2);
      await pair.connect({ dial: { control } });
      expect(sockets()).to.equal(3);
    });

    it('not a third time', async () => {
      const { control, sockets } = unavailable(3);
      const error = await fail('tcp', '10.9.0.2:80', { control });
      expect(error.message).to.equal('dial tcp 10.9.0.2:80: connect: cannot assign requested address');
      expect(sockets()).to.equal(3);
    });

    it('when only the address was given, not the port', async () => {
      const { control, sockets } = unavailable(1);
      await pair.connect({ dial: { control, localAddr: new TCPAddr('10.9.0.1', 0) } });
      expect(sockets()).to.equal(2);
    });

    it('never when the port was given', async () => {
      const { control, sockets } = unavailable(1);
      const error = await fail('tcp', '10.9.0.2:80', { control, localAddr: new TCPAddr(undefined, 5000) });
      expect(error.code).to.equal('EADDRNOTAVAIL');
      expect(sockets()).to.equal(1);
    });

    it('never another error', async () => {
      let sockets = 0;
      await fail('tcp', '10.9.0.2:1', { control: () => void sockets++ });
      expect(sockets).to.equal(1);
    });

    it('a connection to itself', async () => {
      let sockets = 0;
      // A socket bound to the very port that is dialled meets itself when nobody listens there.
      const control: Control = (_network, _address, socket) => {
        if (++sockets === 1) expect(socket.bind({ address: IPV4_LOOPBACK, port: 8080 })).to.equal(0);
      };
      const error = await fail('tcp', '127.0.0.1:8080', { control });
      expect(error.message).to.equal('dial tcp 127.0.0.1:8080: connect: connection refused');
      expect(sockets).to.equal(2);
      await pair.clock.advance(1000);
      expect(client.sockets().map(({ state }) => state)).to.not.include('ESTABLISHED');
    });

    it('a connection to itself no more than twice, and then takes it', async () => {
      let sockets = 0;
      const control: Control = (_network, _address, socket) => {
        sockets++;
        const peer = socket.getpeername.bind(socket);
        socket.getpeername = () => (typeof peer() === 'number' ? peer() : socket.getsockname());
      };
      const { dialled } = await pair.connect({ dial: { control } });
      expect(sockets).to.equal(3);
      expect(`${dialled.localAddr()}`).to.equal(`${dialled.remoteAddr()}`);
    });

    it('a connection to itself never when the port was given', async () => {
      const conn = await pair.run(client.dial('tcp', '127.0.0.1:8080', { localAddr: new TCPAddr('127.0.0.1', 8080) }));
      expect(`${conn.localAddr()}`).to.equal(`${conn.remoteAddr()}`);
      const read = conn.read(new Uint8Array(9));
      await pair.run(conn.write(new Uint8Array(3)));
      expect(await pair.run(read)).to.equal(3);
      conn.setLinger(0);
      conn.close();
      await pair.clock.advance(10);
    });
  });

  describe('several addresses', () => {
    const of = (...texts: string[]): Resolver => ({
      lookupHost: async () => texts.map((text) => IpAddress.parse(text) as IpAddress),
    });

    it('are tried in order', async () => {
      await pair.close();
      start(of('192.0.2.1', '10.9.0.2'));
      const listener = await pair.server.listen('tcp', ':80');
      const conn = await pair.run(client.dial('tcp', 'name:80'));
      expect(`${conn.remoteAddr()}`).to.equal('10.9.0.2:80');
      listener.close();
    });

    it('report the first one when all fail', async () => {
      await pair.close();
      start(of('10.9.0.2', '192.0.2.1'));
      expect((await fail('tcp', 'name:1')).message).to.equal('dial tcp 10.9.0.2:1: connect: connection refused');
    });

    it('share the time', async () => {
      await pair.close();
      start(of(NOBODY, '10.9.0.78', '10.9.0.2'));
      const listener = await pair.server.listen('tcp', ':80');
      const conn = await pair.run(client.dial('tcp', 'name:80', { timeout: 9000 }));
      // 9 s / 3, then the 6 s that are left / 2.
      expect(pair.clock.now()).to.be.within(6000, 6100);
      expect(`${conn.remoteAddr()}`).to.equal('10.9.0.2:80');
      listener.close();
    });

    it('end when the time is over, with the error of the first', async () => {
      await pair.close();
      start(of(NOBODY, '10.9.0.78', '10.9.0.79'));
      const error = await fail('tcp', 'name:80', { timeout: 3000 });
      expect(pair.clock.now()).to.equal(3000);
      expect(error.message).to.equal(`dial tcp ${NOBODY}:80: i/o timeout`);
    });
  });

  describe('shareOfTime', () => {
    const cases: [left: number, addresses: number, share: number][] = [
      [12_000, 1, 12_000],
      [12_000, 2, 6000],
      [12_000, 3, 4000],
      [12_000, 999, 2000],
      [1900, 999, 1900],
      [1900, 1, 1900],
    ];
    for (const [left, addresses, share] of cases) {
      it(`gives ${share} ms of ${left} to the next of ${addresses}`, () => {
        expect(shareOfTime(500, 500 + left, addresses)).to.equal(500 + share);
      });
    }

    it('gives none at or after the deadline, and all without one', () => {
      expect(shareOfTime(500, 500, 1)).to.equal('over');
      expect(shareOfTime(500, 400, 1)).to.equal('over');
      expect(shareOfTime(500, undefined, 3)).to.equal(undefined);
    });
  });

  describe('wrong arguments', () => {
    const cases: [network: unknown, address: unknown, options: unknown, message: RegExp][] = [
      [undefined, '10.9.0.2:80', {}, /^dial: network must be a string/],
      ['tcp', 80, {}, /^dial: address must be a string/],
      ['tcp', '10.9.0.2:80', { timeout: '5' }, /^dial: timeout must be a number of ms, got 5/],
      ['tcp', '10.9.0.2:80', { timeout: Number.NaN }, /^dial: timeout must be a number of ms, got NaN/],
      ['tcp', '10.9.0.2:80', { deadline: 'soon' }, /^dial: deadline must be a Date/],
      ['tcp', '10.9.0.2:80', { signal: {} }, /^dial: signal must be an AbortSignal/],
      ['tcp', '10.9.0.2:80', { control: 5 }, /^dial: control must be a function/],
    ];
    for (const [network, address, options, message] of cases) {
      it(`${message}`, async () => {
        const error = await rejection(client.dial(network as string, address as string, options as DialOptions));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.match(message);
      });
    }
  });
});
