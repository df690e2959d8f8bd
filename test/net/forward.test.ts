/** `acceptAny` and `host.forward`: a host that takes the place of all others behind it. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { ForwardCallback, ForwardedSyn, ForwardOptions } from '../../src/net/forward.ts';
import type { AcceptAnyOptions } from '../../src/net/host-options.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import {
  AF_INET,
  AF_INET6,
  IP_PKTINFO,
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVPKTINFO,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import type { DatagramMessage } from '../../src/socket/datagram-message.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IPV4_ANY, IPV6_ANY, type IpAddress } from '../../src/wire/address.ts';
import { pattern, readFully, rejection } from '../support/pair.ts';

/** A client whose default route leads to a host that accepts any address. */
class Net {
  readonly clock = new VirtualClock();
  readonly client: Host;
  readonly proxy: Host;

  constructor(acceptAny: boolean | AcceptAnyOptions = true) {
    const [near, far] = createPipe({ latency: 5 });
    const { clock } = this;
    const routes = [
      { destination: '0.0.0.0/0', via: '10.9.0.2' },
      { destination: '::/0', via: 'fd09::2' },
    ];
    this.client = createHost({ link: near, address: ['10.9.0.1/24', 'fd09::1/64'], routes, clock, seed: 1 });
    const address = ['10.9.0.2/24', 'fd09::2/64'];
    this.proxy = createHost({ links: [{ link: far, name: 'any', address, acceptAny }], clock, seed: 2 });
  }

  run<T>(until: Promise<T>): Promise<T> {
    return this.clock.run({ until });
  }

  /** What a dial fails with, and when, ms. */
  async failure(address: string, timeout?: number): Promise<[code: string, at: number]> {
    const started = this.clock.now();
    const error = await this.run(rejection(this.client.dial('tcp', address, { timeout })));
    return [(error as OpError).code, this.clock.now() - started];
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close({ timeout: 0 }), this.proxy.close({ timeout: 0 })]);
  }
}

async function on(use: (net: Net) => Promise<void>, acceptAny?: boolean | AcceptAnyOptions): Promise<void> {
  const net = new Net(acceptAny);
  try {
    await use(net);
  } finally {
    await net.close();
  }
}

/** A forwarder, and the SYNs that it was asked about. */
function forwarding(net: Net, decide: ForwardCallback, options?: ForwardOptions) {
  const syns: ForwardedSyn[] = [];
  const forwarder = net.proxy.forward((syn) => {
    syns.push(syn);
    return decide(syn);
  }, options);
  return { forwarder, syns };
}

describe('a link that accepts any address', () => {
  it('a listener on all addresses accepts what was meant for others, and answers from there', () =>
    on(async (net) => {
      const listener = await net.proxy.listen('tcp', ':80');
      const [dialled, accepted] = await net.run(
        Promise.all([net.client.dial('tcp', '192.0.2.7:80'), listener.accept()]),
      );
      expect(`${accepted.localAddr()}`).to.equal('192.0.2.7:80');
      expect(`${accepted.remoteAddr()}`).to.equal(`${dialled.localAddr()}`);
      const bytes = pattern(100_000);
      const [, got] = await net.run(Promise.all([dialled.write(bytes), readFully(accepted, bytes.length)]));
      expect(Buffer.compare(got, bytes)).to.equal(0);
    }));

  it('a listener on one address does not', () =>
    on(async (net) => {
      await net.proxy.listen('tcp', '10.9.0.2:80');
      expect(await net.failure('192.0.2.7:80')).to.deep.equal(['ECONNREFUSED', 10]);
    }));

  it('without it nothing comes of packets to others', () =>
    on(async (net) => {
      await net.proxy.listen('tcp', ':80');
      expect((await net.failure('192.0.2.7:80', 500))[1]).to.equal(500);
    }, false));

  for (const [family, far, domain, level, wanted] of [
    [4, '192.0.2.7', AF_INET, IPPROTO_IP, IP_PKTINFO],
    [6, '2001:db8::7', AF_INET6, IPPROTO_IPV6, IPV6_RECVPKTINFO],
  ] as const)
    it(`IPv${family}: a datagram socket on all addresses hears what goes to others, and another can answer from there`, () =>
      on(async (net) => {
        const wildcard = net.proxy.socket(domain, SOCK_DGRAM);
        wildcard.bind({ address: family === 4 ? IPV4_ANY : IPV6_ANY, port: 53 });
        expect(wildcard.setsockopt(level, wanted, 1)).to.equal(0);
        const conn = await net.run(net.client.dial('udp', family === 4 ? `${far}:53` : `[${far}]:53`));
        await net.run(conn.write(pattern(100)));
        await net.clock.advance(10);
        const message = wildcard.recvfrom(new Uint8Array(200)) as DatagramMessage;
        expect(`${message.to}`).to.equal(far);
        const reply = net.proxy.socket(domain, SOCK_DGRAM);
        reply.setsockopt(IPPROTO_IP, IP_TRANSPARENT, 1);
        reply.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
        wildcard.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
        expect(reply.bind({ address: message.to as IpAddress, port: 53 })).to.equal(0);
        expect(reply.sendto(pattern(50), 0, message.from)).to.equal(50);
        const into = new Uint8Array(100);
        expect(await net.run(conn.read(into))).to.equal(50);
        wildcard.close();
        reply.close();
      }));

  it('a datagram to a port that nobody has is answered with port unreachable, from where it went', () =>
    on(async (net) => {
      const conn = await net.run(net.client.dial('udp', '192.0.2.7:53'));
      await net.run(conn.write(pattern(1)));
      const error = await net.run(rejection(conn.read(new Uint8Array(1))));
      expect((error as OpError).code).to.equal('ECONNREFUSED');
    }));

  for (const wrong of [1, null, 'yes', { echo: 1 }])
    it(`acceptAny: ${JSON.stringify(wrong)} is an error`, () => {
      expect(() => new Net(wrong as never)).to.throw(TypeError, 'links[0].acceptAny must be true, false, or');
    });
});

describe('host.forward', () => {
  it('asks about a connection before its SYN is answered, with where it goes and whence it comes', () =>
    on(async (net) => {
      const started = net.clock.wallNow();
      const { syns } = forwarding(net, (syn) => syn.refuse());
      const dialled = rejection(net.client.dial('tcp', '192.0.2.7:443'));
      expect((await net.run(dialled)).message).to.match(/connection refused/);
      expect(syns).to.have.length(1);
      const [syn] = syns as [ForwardedSyn];
      expect(`${syn.local}`).to.equal('192.0.2.7:443');
      expect(`${syn.remote.ip}`).to.equal('10.9.0.1');
      expect(syn.interface).to.equal('any');
      expect(syn.time - started).to.equal(5);
      expect(syn.decided).to.equal(true);
    }));

  it('accept answers it and gives the connection', () =>
    on(async (net) => {
      const accepted: string[] = [];
      forwarding(net, async (syn) => {
        const conn = await syn.accept();
        accepted.push(`${conn.localAddr()}`);
        await conn.write(pattern(50_000));
        conn.close();
      });
      const conn = await net.run(net.client.dial('tcp', '198.51.100.1:22'));
      expect(`${conn.remoteAddr()}`).to.equal('198.51.100.1:22');
      const got = await net.run(readFully(conn, 50_000));
      expect(Buffer.compare(got, pattern(50_000))).to.equal(0);
      expect(accepted).to.deep.equal(['198.51.100.1:22']);
      const { tcpi_options } = conn.tcpInfo();
      // Timestamps, SACK, window scale: the options of the SYN were kept.
      expect(tcpi_options & 7).to.equal(7);
    }));

  it('IPv6: the same', () =>
    on(async (net) => {
      const { syns } = forwarding(net, async (syn) => {
        if (syn.local.port === 81) return syn.refuse();
        const conn = await syn.accept();
        await conn.write(pattern(50_000));
        conn.close();
      });
      const conn = await net.run(net.client.dial('tcp', '[2001:db8::7]:80'));
      expect(`${conn.remoteAddr()}`).to.equal('[2001:db8::7]:80');
      const got = await net.run(readFully(conn, 50_000));
      expect(Buffer.compare(got, pattern(50_000))).to.equal(0);
      expect(await net.failure('[2001:db8::8]:81')).to.deep.equal(['ECONNREFUSED', 10]);
      expect(syns.map(({ local, remote }) => [`${local}`, `${remote.ip}`])).to.deep.equal([
        ['[2001:db8::7]:80', 'fd09::1'],
        ['[2001:db8::8]:81', 'fd09::1'],
      ]);
    }));

  it('the decision may take its time; repeated SYNs are not asked about again', () =>
    on(async (net) => {
      const { syns, forwarder } = forwarding(net, async (syn) => {
        await sleep(net, 4000);
        expect(forwarder.pending).to.equal(1);
        await syn.accept();
      });
      const started = net.clock.now();
      await net.run(net.client.dial('tcp', '192.0.2.7:443'));
      expect(net.clock.now() - started).to.equal(4010);
      expect(net.client.counters.TCPSynRetrans).to.be.greaterThan(0);
      expect(syns).to.have.length(1);
      expect(forwarder.pending).to.equal(0);
    }));

  it('a SYN from a port whose last connection is in TIME-WAIT here is asked about at once', () =>
    on(async (net) => {
      const { syns } = forwarding(net, async (syn) => {
        const conn = await syn.accept();
        conn.close();
      });
      for (let i = 1; i <= 3; i++) {
        const localAddr = new TCPAddr('10.9.0.1', 5000);
        const started = net.clock.now();
        const conn = await net.run(net.client.dial('tcp', '192.0.2.7:80', { localAddr }));
        expect(net.clock.now() - started).to.equal(10);
        expect(await net.run(conn.read(new Uint8Array(1)))).to.equal(null);
        conn.close();
        await net.clock.advance(100);
        expect(net.proxy.sockets().map(({ state }) => state)).to.deep.equal(['TIME-WAIT']);
        expect(syns).to.have.length(i);
      }
    }));

  it('drop leaves it unanswered; the SYN that comes again is asked about again', () =>
    on(async (net) => {
      const { syns } = forwarding(net, (syn) => {
        if (syns.length < 3) syn.drop();
        else syn.refuse();
      });
      const [code, at] = await net.failure('192.0.2.7:443');
      expect(code).to.equal('ECONNREFUSED');
      expect(at).to.be.greaterThan(1900);
      expect(syns).to.have.length(3);
    }));

  it('listeners go before it, and its own addresses are not forwarded to others', () =>
    on(async (net) => {
      const listener = await net.proxy.listen('tcp', ':80');
      const { syns } = forwarding(net, (syn) => syn.refuse());
      await net.run(Promise.all([net.client.dial('tcp', '192.0.2.7:80'), listener.accept()]));
      expect(syns).to.have.length(0);
    }));

  it('is not asked on links that do not accept any address', () =>
    on(async (net) => {
      const { syns } = forwarding(net, (syn) => syn.accept());
      expect((await net.failure('10.9.0.2:81'))[0]).to.equal('ECONNREFUSED');
      expect(syns).to.have.length(0);
    }, false));

  it('a callback that ends without a decision refuses', () =>
    on(async (net) => {
      forwarding(net, () => undefined);
      expect(await net.failure('192.0.2.7:1')).to.deep.equal(['ECONNREFUSED', 10]);
    }));

  for (const [how, decide] of [
    [
      'throws',
      () => {
        throw new Error('upstream');
      },
    ],
    ['rejects', () => Promise.reject(new Error('upstream'))],
  ] as const) {
    it(`a callback that ${how} refuses, and its error is told`, () =>
      on(async (net) => {
        const told: [unknown, ForwardedSyn][] = [];
        const { syns } = forwarding(net, decide, { onError: (error, syn) => told.push([error, syn]) });
        expect(await net.failure('192.0.2.7:1')).to.deep.equal(['ECONNREFUSED', 10]);
        expect(told.map(([error, syn]) => [(error as Error).message, syn])).to.deep.equal([['upstream', syns[0]]]);
      }));
  }

  it('without onError the error is an unhandled rejection', () =>
    on(async (net) => {
      const listeners = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      const told: unknown[] = [];
      process.once('unhandledRejection', (reason) => told.push(reason));
      forwarding(net, () => Promise.reject(new Error('upstream')));
      expect((await net.failure('192.0.2.7:1'))[0]).to.equal('ECONNREFUSED');
      expect(told).to.have.length(1);
      process.removeAllListeners('unhandledRejection');
      for (const each of listeners) process.on('unhandledRejection', each);
    }));

  it('an error after accept resets the connection', () =>
    on(async (net) => {
      const told: unknown[] = [];
      const onError = (error: unknown) => told.push(error);
      forwarding(
        net,
        async (syn) => {
          await syn.accept();
          throw new Error('late');
        },
        { onError },
      );
      const conn = await net.run(net.client.dial('tcp', '192.0.2.7:1'));
      const error = await net.run(rejection(conn.read(new Uint8Array(1))));
      expect((error as OpError).code).to.equal('ECONNRESET');
      expect(told).to.have.length(1);
    }));

  it('the first call counts', () =>
    on(async (net) => {
      const late: Error[] = [];
      forwarding(net, async (syn) => {
        syn.refuse();
        syn.drop();
        late.push(await rejection(syn.accept()));
      });
      expect((await net.failure('192.0.2.7:1'))[0]).to.equal('ECONNREFUSED');
      expect(late.map(({ message }) => message)).to.deep.equal([
        'accept tcp 192.0.2.7:1: use of closed network connection',
      ]);
    }));

  it('what is undecided when the time is up is dropped, and its signal aborted', () =>
    on(async (net) => {
      const reasons: unknown[] = [];
      const { forwarder, syns } = forwarding(
        net,
        (syn) =>
          new Promise<void>((resolve) => {
            syn.signal.addEventListener('abort', () => {
              reasons.push((syn.signal.reason as Error).message);
              resolve();
            });
          }),
        { timeout: 500 },
      );
      const dialled = rejection(net.client.dial('tcp', '192.0.2.7:1', { timeout: 900 }));
      await net.run(dialled);
      expect(reasons).to.deep.equal(['i/o timeout']);
      expect(syns).to.have.length(1);
      expect(forwarder.pending).to.equal(0);
      const late = await rejection((syns[0] as ForwardedSyn).accept());
      expect(late.message).to.equal('accept tcp 192.0.2.7:1: i/o timeout');
    }));

  it('beyond the limit SYNs are dropped and counted; a decision makes room', () =>
    on(async (net) => {
      const { syns, forwarder } = forwarding(net, () => new Promise(() => {}), { limit: 2 });
      const dials = [1, 2, 3].map((port) => rejection(net.client.dial('tcp', `192.0.2.7:${port}`, { timeout: 5000 })));
      await net.clock.advance(10);
      expect([syns.length, forwarder.pending]).to.deep.equal([2, 2]);
      const { ListenDrops, TCPReqQFullDrop } = net.proxy.counters;
      expect({ ListenDrops, TCPReqQFullDrop }).to.deep.equal({ ListenDrops: 1, TCPReqQFullDrop: 1 });
      (syns[0] as ForwardedSyn).drop();
      await net.clock.advance(1100);
      expect(syns.length).to.equal(3);
      forwarder.close();
      await net.run(Promise.all(dials));
    }));

  it('close: what is undecided ends, what comes is refused, connections stay; another may follow', () =>
    on(async (net) => {
      const { syns, forwarder } = forwarding(net, (syn) =>
        syn.local.port === 1 ? syn.accept() : new Promise(() => {}),
      );
      const conn = await net.run(net.client.dial('tcp', '192.0.2.7:1'));
      const waiting = rejection(net.client.dial('tcp', '192.0.2.7:2', { timeout: 100 }));
      await net.clock.advance(10);
      expect(() => net.proxy.forward(() => {})).to.throw('the host has a forwarder already; close it first');
      forwarder.close();
      forwarder.close();
      await net.run(waiting);
      expect(syns.map(({ signal }) => signal.aborted)).to.deep.equal([false, true]);
      expect((await net.failure('192.0.2.7:3'))[0]).to.equal('ECONNREFUSED');
      expect(await net.run(conn.write(pattern(10)))).to.equal(10);
      net.proxy.forward((syn) => syn.accept()).close();
    }));

  it('accept fails when the peer is gone before the handshake is over', () =>
    on(async (net) => {
      const failures: Error[] = [];
      forwarding(net, async (syn) => {
        await sleep(net, 2500);
        failures.push(await rejection(syn.accept()));
      });
      // It gives up silently, and answers the SYN-ACK with a RST.
      await net.failure('192.0.2.7:1', 1500);
      await net.clock.advance(2000);
      expect(failures.map(({ message }) => message)).to.deep.equal([
        'accept tcp 192.0.2.7:1: accept4: software caused connection abort',
      ]);
    }));

  it('a host that is closed asks no more', async () => {
    const net = new Net();
    const { syns } = forwarding(net, () => new Promise(() => {}));
    const dialled = rejection(net.client.dial('tcp', '192.0.2.7:1', { timeout: 100 }));
    await net.clock.advance(10);
    await net.run(dialled);
    await net.close();
    expect((syns[0] as ForwardedSyn).signal.aborted).to.equal(true);
    expect(() => net.proxy.forward(() => {})).to.throw('use of closed network connection');
    expect(net.clock.pending).to.include({ foreground: 0, held: 0 });
  });

  for (const [options, message] of [
    [{ limit: 0 }, 'limit must be an integer >= 1'],
    [{ timeout: 0 }, 'timeout must be a number of ms > 0'],
    [{ onError: 1 }, 'onError must be a function'],
    [{ keepAlive: 'x' }, 'keepAlive must be a number'],
  ] as const)
    it(`${JSON.stringify(options)} is an error`, () =>
      on(async (net) => {
        expect(() => net.proxy.forward(() => {}, options as never)).to.throw(message);
        expect(() => net.proxy.forward(1 as never)).to.throw('must be a function of a SYN');
      }));
});

function sleep(net: Net, ms: number): Promise<void> {
  return new Promise((resolve) => net.clock.timer(resolve).set(net.clock.now() + ms));
}
