import { expect } from 'chai';
import { createHost, type Host } from '../src/host.ts';
import { createPipe } from '../src/link/pipe.ts';
import { errClosed, ParseError } from '../src/net/errors.ts';
import type { HostOptions } from '../src/net/host-options.ts';
import type { OpError } from '../src/net/op-error.ts';
import { AF_INET, IPPROTO_TCP, SOCK_STREAM } from '../src/socket/constants.ts';
import { EAGAIN } from '../src/socket/errno.ts';
import { seededRandom } from '../src/time/random.ts';
import { RealClock } from '../src/time/real-clock.ts';
import { VirtualClock } from '../src/time/virtual-clock.ts';
import { connectedHosts, pattern, readFully, rejection, thrown } from './support/pair.ts';

describe('host', () => {
  describe('options', () => {
    const [link] = createPipe();
    const cases: [options: unknown, message: RegExp][] = [
      [null, /^createHost: options must be an object/],
      [{ adress: '10.9.0.2/24' }, /^createHost: there is no option adress; there are link, address/],
      [{ link }, /^createHost: address must be an address with the length of its prefix, .*; got undefined/],
      [{ address: '10.9.0.2/24' }, /^createHost: link must be a Link/],
      [{ link: {}, address: '10.9.0.2/24' }, /^createHost: link must be a Link/],
      [{ link, address: '10.9.0.2' }, /^createHost: address must be .* such as '10\.9\.0\.2\/24'; got '10\.9\.0\.2'/],
      [{ link, address: '10.9.0.256/24' }, /^createHost: address must be/],
      [{ link, address: '10.9.0.2/33' }, /^createHost: address must be/],
      [{ link, address: [] }, /^createHost: address must name at least one address/],
      [{ link, address: '0.0.0.0/0' }, /^createHost: address: 0\.0\.0\.0\/0 is not an address of one host/],
      [{ link, address: '224.0.0.1/24' }, /^createHost: address: 224\.0\.0\.1\/24 is not an address of one host/],
      [{ link, address: '10.9.0.2/24', links: [] }, /^createHost: give either links, or link and address/],
      [{ links: {} }, /^createHost: links must be an array/],
      [{ links: [{ link, address: 'x' }] }, /^createHost: links\[0\]\.address must be/],
      [
        { links: [{ link, address: '10.9.0.2/24', name: '' }] },
        /^createHost: links\[0\]\.name must be a non-empty string/,
      ],
      [
        {
          links: [
            { link, address: '10.9.0.2/24', name: 'a' },
            { link, address: '10.9.1.2/24', name: 'a' },
          ],
        },
        /^createHost: links\[1\]\.name: a is taken/,
      ],
      [{ link, address: '10.9.0.2/24', routes: {} }, /^createHost: routes must be an array/],
      [{ link, address: '10.9.0.2/24', routes: ['0.0.0.0/0'] }, /^createHost: routes\[0\] must be an object/],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '0.0.0.0' }] },
        /^createHost: routes\[0\]\.destination must be/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '0.0.0.0/0', via: 'x' }] },
        /^createHost: routes\[0\]\.via must be an address/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '0.0.0.0/0', via: '::1' }] },
        /^createHost: routes\[0\]\.via: ::1 is not of the family/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '0.0.0.0/0', via: '10.8.0.1' }] },
        /^createHost: routes\[0\]\.via: 10\.8\.0\.1 is on none of the networks/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '0.0.0.0/0', interface: 'x' }] },
        /^createHost: routes\[0\]\.interface: there is no x; there are: pipe0/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: 5 as never }] },
        /^createHost: routes\[0\]\.metrics must be an object/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: { mtu: 67 } }] },
        /^createHost: routes\[0\]\.metrics\.mtu must be a number in 68\.\.65535, got 67/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: { initcwnd: 1.5 } }] },
        /^createHost: routes\[0\]\.metrics\.initcwnd must be a number in 1\.\.65535, got 1\.5/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: { quickack: 1 as never } }] },
        /^createHost: routes\[0\]\.metrics\.quickack must be true or false, got 1/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: { congctl: 'westwood' } }] },
        /^createHost: routes\[0\]\.metrics\.congctl must be one of .*cubic.*, got westwood/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: { rtt: 5 } as never }] },
        /^createHost: routes\[0\]\.metrics\.rtt: there is no such metric; there are mtu, .*congctl/,
      ],
      [
        { link, address: '10.9.0.2/24', routes: [{ destination: '10.9.0.0/24', metrics: { mtuLocked: true } }] },
        /^createHost: routes\[0\]\.metrics\.mtuLocked: there is no mtu/,
      ],
      [
        { routes: [{ destination: '0.0.0.0/0' }] },
        /^createHost: routes\[0\] needs via or interface: the host has 0 links/,
      ],
      [{ clock: {} }, /^createHost: clock must be a Clock/],
      [{ sysctl: 5 }, /^createHost: sysctl must be an object/],
      [{ sysctl: { tcp_sak: false } }, /^createHost: sysctl\.tcp_sak: there is no such setting/],
      [
        { sysctl: { tcp_congestion_control: 'vegas' } },
        /^createHost: sysctl\.tcp_congestion_control must be one of reno, cubic, .*, got vegas/,
      ],
      [
        { sysctl: { accept_reset: 'mine' } },
        /^createHost: sysctl\.accept_reset must be one of linux, posix, bsd, got mine/,
      ],
      [{ sysctl: { tcp_sack: 0 } }, /^createHost: sysctl\.tcp_sack must be true or false, got 0/],
      [{ sysctl: { tcp_retries2: -1 } }, /^createHost: sysctl\.tcp_retries2 must be a number >= 0, got -1/],
      [{ sysctl: { tcp_rmem: [1, 2] } }, /^createHost: sysctl\.tcp_rmem must be 3 numbers >= 0, got 1,2/],
      [{ trace: {} }, /^createHost: trace must be a function/],
      [{ resolver: {} }, /^createHost: resolver must be a Resolver/],
      [{ hasher: {} }, /^createHost: hasher must be a SegmentHasher { md5, hmacSha1, aesCmac }/],
      [{ random: {} }, /^createHost: random must be a Random/],
      [{ random: seededRandom(1), seed: 1 }, /^createHost: give either random or seed/],
    ];
    for (const [options, message] of cases) {
      it(`${message}`, () => {
        const error = thrown(() => createHost(options as HostOptions));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.match(message);
      });
    }

    it("of an address that cannot be read have Go's error as the cause", () => {
      const error = thrown(() => createHost({ link, address: '10.9.0.2' }));
      expect(error.cause).to.be.instanceOf(ParseError);
      expect((error.cause as Error).message).to.equal('invalid CIDR address: 10.9.0.2');
    });

    it('are the clock of the machine when none is given', async () => {
      const host = createHost();
      expect(host.clock).to.be.instanceOf(RealClock);
      await host.close();
    });
  });

  it('shows its settings, and takes others while it runs', async () => {
    const clock = new VirtualClock();
    const host = createHost({ clock, seed: 1 });
    const listener = await host.listen('tcp', ':80');
    const dial = () => clock.run({ until: Promise.all([host.dial('tcp', '127.0.0.1:80'), listener.accept()]) });
    host.sysctl.ip_local_port_range = [500, 500];
    expect({ ...host.sysctl }).to.deep.include({ ip_local_port_range: [500, 500], tcp_sack: true });
    const [conn] = await dial();
    expect(String(conn.localAddr())).to.equal('127.0.0.1:500');
    host.sysctl.ip_local_port_range = [600, 600];
    expect(String((await dial())[0].localAddr())).to.equal('127.0.0.1:600');
    await clock.run({ until: host.close() });
  });

  it('refuses settings that do not exist, and values that they cannot have, while it runs', async () => {
    const host = createHost();
    const sysctl = host.sysctl as unknown as Record<string, unknown>;
    for (const [name, value, message] of [
      ['tcp_sak', false, 'sysctl.tcp_sak: there is no such setting'],
      ['tcp_sack', 0, 'sysctl.tcp_sack must be true or false, got 0'],
      ['tcp_retries2', Number.NaN, 'sysctl.tcp_retries2 must be a number >= 0, got NaN'],
      ['tcp_retries2', 256, 'sysctl.tcp_retries2 must be a whole number in 0..255, got 256'],
      ['tcp_syn_retries', 0, 'sysctl.tcp_syn_retries must be a whole number in 1..127, got 0'],
      ['tcp_rmem', [1, 2], 'sysctl.tcp_rmem must be 3 numbers >= 0, got 1,2'],
      ['tcp_congestion_control', 'vegas', /^sysctl\.tcp_congestion_control must be one of reno, .*, got vegas$/],
      ['ip_local_port_range', [5, 4], 'sysctl.ip_local_port_range must be two ports, the lower one first, got 5,4'],
    ] as const) {
      expect(() => {
        sysctl[name] = value;
      }, name).to.throw(TypeError, message as string);
    }
    expect(() => Object.defineProperty(sysctl, 'tcp_sack', { value: 3 })).to.throw(TypeError, 'sysctl.tcp_sack must');
    expect(() => Reflect.deleteProperty(sysctl, 'tcp_sack')).to.throw(TypeError, 'cannot be taken away');
    const range: [number, number] = [100, 200];
    host.sysctl.ip_local_port_range = range;
    range[1] = 1;
    expect(host.sysctl.ip_local_port_range).to.deep.equal([100, 200]);
    await host.close();
  });

  it('gives the stack its settings', async () => {
    const host = createHost({ sysctl: { tcp_sack: false, tcp_rmem: [4096, 65_536, 65_536] } });
    expect(host.sysctl).to.deep.include({ tcp_sack: false, tcp_rmem: [4096, 65_536, 65_536], tcp_timestamps: true });
    await host.close();
  });

  it('without a link talks to itself', async () => {
    const clock = new VirtualClock();
    const host = createHost({ clock, seed: 1 });
    const listener = await host.listen('tcp', ':80');
    const [dialled, accepted] = await clock.run({
      until: Promise.all([host.dial('tcp', 'localhost:80'), listener.accept()]),
    });
    await clock.run({ until: dialled.write(pattern(5)) });
    expect(await clock.run({ until: readFully(accepted, 5) })).to.deep.equal(pattern(5));
    expect(host.addresses).to.deep.equal([]);
    await clock.run({ until: host.close() });
  });

  it('lists its addresses', async () => {
    const pair = connectedHosts();
    expect(pair.client.addresses.map(String)).to.deep.equal(['10.9.0.1']);
    expect(pair.client.clock).to.equal(pair.clock);
    await pair.close();
  });

  describe('with several links', () => {
    const clock = new VirtualClock();
    let hosts: Host[];

    beforeEach(() => {
      const [a, b] = createPipe();
      const [c, d] = createPipe();
      const middle = createHost({
        clock,
        seed: 2,
        links: [
          { link: b, address: ['10.1.0.2/24', '10.1.0.3/24'], name: 'left' },
          { link: c, address: '10.2.0.2/24', name: 'right' },
        ],
      });
      const left = createHost({
        clock,
        seed: 1,
        link: a,
        address: '10.1.0.1/24',
        routes: [{ destination: '0.0.0.0/0', via: '10.1.0.2' }],
      });
      const right = createHost({
        clock,
        seed: 3,
        link: d,
        address: '10.2.0.1/24',
        routes: [{ destination: '0.0.0.0/0', interface: d.name }],
      });
      hosts = [left, middle, right];
    });

    afterEach(() => Promise.all(hosts.map((host) => host.close({ timeout: 0 }))));

    const dialFrom = async (from: Host, address: string) => {
      const conn = await clock.run({ until: from.dial('tcp', address) });
      return `${conn.localAddr().ip}`;
    };

    it('sends each packet out where its network is', async () => {
      const [left, middle, right] = hosts as [Host, Host, Host];
      expect(middle.addresses.map(String)).to.deep.equal(['10.1.0.2', '10.1.0.3', '10.2.0.2']);
      await left.listen('tcp', ':80');
      await right.listen('tcp', ':80');
      expect(await dialFrom(middle, '10.1.0.1:80')).to.equal('10.1.0.2');
      expect(await dialFrom(middle, '10.2.0.1:80')).to.equal('10.2.0.2');
    });

    it('is reached at all its addresses, over routes too', async () => {
      const [left, middle, right] = hosts as [Host, Host, Host];
      await middle.listen('tcp', ':80');
      expect(await dialFrom(left, '10.1.0.3:80')).to.equal('10.1.0.1');
      expect(await dialFrom(left, '10.2.0.2:80')).to.equal('10.1.0.1');
      expect(await dialFrom(right, '10.1.0.2:80')).to.equal('10.2.0.1');
    });

    it('connects as the metrics of the route say, on the network of the link itself, too', async () => {
      const pair = connectedHosts({
        host: { routes: [{ destination: '10.9.0.0/24', metrics: { mtu: 1000, initcwnd: 3, congctl: 'reno' } }] },
      });
      const { dialled, accepted } = await pair.connect();
      for (const conn of [dialled, accepted]) {
        expect(conn.tcpInfo()).to.include({ tcpi_pmtu: 1000, tcpi_advmss: 948, tcpi_snd_cwnd: 3 });
      }
      await pair.close();
    });

    it('has no way to where no route leads', async () => {
      const [, middle] = hosts as [Host, Host, Host];
      const error = (await clock.run({ until: rejection(middle.dial('tcp', '192.0.2.1:80')) })) as OpError;
      expect(error.message).to.equal('dial tcp 192.0.2.1:80: connect: network is unreachable');
    });
  });

  describe('socket', () => {
    it('gives a BSD socket', async () => {
      const pair = connectedHosts();
      const socket = pair.client.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
      expect(socket.accept()).to.be.below(0);
      expect(socket.close()).to.equal(0);
      await pair.close();
    });

    it('says what kind there is not', async () => {
      const pair = connectedHosts();
      expect(thrown(() => pair.client.socket(99, SOCK_STREAM)).message).to.equal(
        'socket: address family not supported by protocol',
      );
      await pair.close();
    });

    it('can be polled until it is connected', async () => {
      const pair = connectedHosts();
      const listener = await pair.server.listen('tcp', '10.9.0.2:80');
      const socket = pair.client.socket(AF_INET, SOCK_STREAM);
      expect(
        socket.connect({ address: (await pair.server.listen('tcp', '10.9.0.2:0')).addr().ip as never, port: 80 }),
      ).to.be.below(0);
      const accepted = await pair.run(listener.accept());
      await pair.clock.advance(10);
      expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
      await pair.run(accepted.write(pattern(1)));
      await pair.clock.advance(10);
      expect(socket.recv(new Uint8Array(1))).to.equal(1);
      await pair.close();
    });
  });

  it('counts what happens', async () => {
    const pair = connectedHosts();
    await pair.connect();
    expect(pair.client.counters).to.include({ ActiveOpens: 1, PassiveOpens: 0 });
    expect(pair.server.counters).to.include({ ActiveOpens: 0, PassiveOpens: 1 });
    await pair.close();
  });

  describe('sockets', () => {
    it('shows listeners and connections', async () => {
      const pair = connectedHosts();
      await pair.connect();
      await pair.clock.advance(10);
      expect(
        pair.server
          .sockets()
          .map(({ state }) => state)
          .sort(),
      ).to.deep.equal(['ESTABLISHED', 'LISTEN']);
      expect(pair.client.sockets().map(({ state }) => state)).to.deep.equal(['ESTABLISHED']);
      await pair.close();
    });
  });

  describe('close', () => {
    it('delivers what was written', async () => {
      const pair = connectedHosts({ latency: 20 });
      const { dialled, accepted } = await pair.connect();
      const bytes = pattern(60_000);
      await pair.run(dialled.write(bytes));
      const reading = readFully(accepted, bytes.length + 1);
      await pair.run(pair.client.close());
      expect(Buffer.compare(await pair.run(reading), bytes)).to.equal(0);
      await pair.close();
    });

    it('does not wait longer than it was told, and resets the rest', async () => {
      const pair = connectedHosts();
      const { dialled } = await pair.connect();
      pair.cut();
      await pair.run(dialled.write(pattern(1000)));
      const start = pair.clock.now();
      await pair.run(pair.client.close({ timeout: 300 }));
      expect(pair.clock.now() - start).to.equal(300);
      expect(pair.client.sockets()).to.deep.equal([]);
      await pair.close();
    });

    it('waits a second at most when it was not told', async () => {
      const pair = connectedHosts();
      const { dialled } = await pair.connect();
      pair.cut();
      await pair.run(dialled.write(pattern(1000)));
      const start = pair.clock.now();
      await pair.run(pair.client[Symbol.asyncDispose]());
      expect(pair.clock.now() - start).to.equal(1000);
      await pair.close();
    });

    it('of 0 resets at once', async () => {
      const pair = connectedHosts();
      const { accepted } = await pair.connect();
      const reading = rejection(accepted.read(new Uint8Array(1)));
      await pair.client.close({ timeout: 0 });
      await pair.clock.advance(10);
      // A link that is closed at once may take the reset with it; data sent then finds nobody.
      void pair.server.close({ timeout: 0 });
      expect(((await reading) as OpError).code).to.be.oneOf(['ECONNRESET', 'ERR_CLOSED']);
    });

    it('fails what waits', async () => {
      const pair = connectedHosts();
      const { dialled, listener } = await pair.connect();
      const waiting = [
        rejection(dialled.read(new Uint8Array(1))),
        rejection(listener.accept()),
        rejection(pair.client.dial('tcp', '10.9.0.77:80')),
      ];
      await pair.clock.advance(10);
      await pair.close();
      for (const error of await Promise.all(waiting)) expect((error as OpError).err).to.equal(errClosed);
    });

    it('is the end of the host', async () => {
      const pair = connectedHosts();
      const closing = pair.client.close({ timeout: 0 });
      expect(pair.client.close()).to.equal(closing);
      await closing;
      expect((await rejection(pair.client.dial('tcp', '10.9.0.2:80'))).message).to.equal(
        'dial tcp: use of closed network connection',
      );
      expect((await rejection(pair.client.listen('tcp', ':80'))).message).to.equal(
        'listen tcp: use of closed network connection',
      );
      expect(thrown(() => pair.client.socket(AF_INET, SOCK_STREAM))).to.equal(errClosed);
      await pair.close();
    });

    it('refuses a timeout that is none', async () => {
      const pair = connectedHosts();
      for (const timeout of [-1, Number.NaN, 'x' as never]) {
        expect((await rejection(pair.client.close({ timeout }))).message).to.match(
          /^Host\.close: timeout must be a number of ms >= 0/,
        );
      }
      await pair.close();
    });
  });
});
