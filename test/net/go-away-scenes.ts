/** The scenes of test/nettest/facts/away.go: a host, a router beside it, and what lies behind, as away.sh sets them up. */
import { createHost, type Host } from '../../src/host.ts';
import { impaired } from '../../src/link/impaired.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { DialOptions } from '../../src/net/dial.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { resolveUDPAddr } from '../../src/net/udp-addr.ts';
import { IPPROTO_TCP, TCP_USER_TIMEOUT } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { Stage, Steps } from './go-stage.ts';
import { outcome, scene } from './go-whole.ts';

export const scenes: Record<string, Steps> = {};

/** As /etc/hosts has them, in the order of its lines. */
const HOSTS = {
  'a.test': ['10.9.0.2', '10.9.0.9'],
  'b.test': ['10.9.0.2', '10.9.0.9'],
  'c.test': ['10.9.0.2', '198.51.100.1'],
  'd.test': ['10.9.0.2', 'fd00:9::2'],
  'e.test': ['10.9.0.9', 'fd00:9::9'],
  'f.test': ['100.64.0.1', '2001:db8::1'],
  'g.test': ['10.9.0.2', 'fd00:9::9'],
  'h.test': ['10.9.0.2', 'fd00:9::2'],
};

class Away {
  readonly host: Host;
  readonly #router: Host;
  readonly #far: Host;
  /** Nothing gets through to the router any more. */
  isCut = false;

  constructor({ clock }: Stage) {
    const [near, there] = createPipe();
    const [behind, end] = createPipe();
    const rule = () => (this.isCut ? 'drop' : 'pass') as 'drop' | 'pass';
    const v6 = (i: number) => ({ destination: `fd00:${i}::/64`, via: 'fd00:9::2' });
    const nowhere = (destination: string, type: 'unreachable' | 'prohibit' | 'blackhole') => ({ destination, type });
    this.host = createHost({
      link: impaired(near, { both: { rule } }),
      address: ['10.9.0.1/24', 'fd00:9::1/64'],
      clock,
      seed: 1,
      sysctl: { tcp_syn_retries: 1, tcp_syn_linear_timeouts: 0 },
      dns: { hosts: HOSTS },
      routes: [
        { destination: '198.18.0.0/16', via: '10.9.0.2' },
        ...[0, 1, 2].map(v6),
        nowhere('198.51.100.0/24', 'unreachable'),
        nowhere('203.0.113.0/24', 'prohibit'),
        nowhere('192.0.2.0/26', 'blackhole'),
        nowhere('fd00:3::/64', 'unreachable'),
        nowhere('fd00:4::/64', 'prohibit'),
        nowhere('fd00:5::/64', 'blackhole'),
      ],
    });
    this.#router = createHost({
      links: [
        { link: there, address: ['10.9.0.2/24', 'fd00:9::2/64'] },
        { link: behind, address: '198.18.9.2/24' },
      ],
      forwarding: true,
      sysctl: { icmp_ratelimit: 0 },
      clock,
      seed: 2,
      routes: [
        nowhere('198.18.1.0/24', 'unreachable'),
        nowhere('198.18.2.0/24', 'prohibit'),
        nowhere('fd00:1::/64', 'unreachable'),
        nowhere('fd00:2::/64', 'prohibit'),
        // Nobody: takes all packets.
        nowhere('10.9.0.9/32', 'blackhole'),
        nowhere('fd00:9::9/128', 'blackhole'),
      ],
    });
    const routes = [{ destination: '0.0.0.0/0', via: '198.18.9.2' }];
    this.#far = createHost({ link: end, address: '198.18.9.1/24', clock, seed: 3, routes });
  }

  async listen(): Promise<void> {
    await this.#router.listen('tcp', ':7');
    await this.#far.listen('tcp', ':7');
  }

  /** The router tells that the one behind it is not there any more. */
  vanish(): void {
    this.#router.addRoute({ destination: '198.18.9.1/32', type: 'unreachable' });
  }

  async close(): Promise<void> {
    await Promise.all([this.host, this.#router, this.#far].map((host) => host.close({ timeout: 0 })));
  }
}

function away(name: string, steps: (stage: Stage, away: Away, say: (text: string) => void) => Promise<void>): void {
  scene(scenes, `away: ${name}`, async (stage, say) => {
    const around = new Away(stage);
    await steps(stage, around, say);
    await around.close();
  });
}

const REMOTES = [
  '10.9.0.2:9',
  '[fd00:9::2]:9',
  '198.18.0.1:9',
  '198.18.1.1:9',
  '198.18.2.1:9',
  '[fd00::1]:9',
  '[fd00:1::1]:9',
  '[fd00:2::1]:9',
  '198.51.100.1:9',
  '203.0.113.1:9',
  '192.0.2.1:9',
  '100.64.0.1:9',
  '[fd00:3::1]:9',
  '[fd00:4::1]:9',
  '[fd00:5::1]:9',
  '[2001:db8::1]:9',
  '10.9.0.255:9',
];

away('dials', async (stage, { host }, say) => {
  for (const r of [...REMOTES, '10.9.0.1:9', '[fd00:9::1]:9', '10.9.0.9:9', '[fd00:9::9]:9'])
    say(`${r}: ${await outcome(stage, () => host.dial('tcp', r))}`);
});

away('dials that nobody answers', async (stage, { host }, say) => {
  const dial = async (options: DialOptions) => say(await outcome(stage, () => host.dial('tcp', '10.9.0.9:9', options)));
  await dial({ timeout: 30 });
  await dial({ timeout: 30, deadline: stage.wall(60_000) });
  await dial({ timeout: 30, keepAlive: -1 });
  await dial({ timeout: 30, localAddr: new TCPAddr('10.9.0.1', 0) });
  await dial({ timeout: 30, localAddr: new TCPAddr('127.0.0.1', 0) });
  await dial({ timeout: 30, localAddr: new TCPAddr(undefined, 4321) });
  for (const reason of [undefined, new Error('a reason')]) {
    const controller = new AbortController();
    stage.clock.timer(() => controller.abort(reason)).set(stage.clock.now() + 30);
    await dial({ timeout: 60_000, signal: controller.signal });
  }
});

away('names', async (stage, around, say) => {
  await around.listen();
  for (const name of Object.keys(HOSTS)) {
    for (const network of ['tcp', 'tcp4', 'tcp6', 'udp']) {
      for (const port of ['7', '9']) {
        const dial = () => around.host.dial(network, `${name}:${port}`, { timeout: 1000 });
        const told = (conn: Awaited<ReturnType<typeof dial>>) => {
          conn.close();
          return `${conn.remoteAddr()}`;
        };
        say(`${network} ${name}:${port}: ${await outcome(stage, dial, told)}`);
      }
    }
  }
});

away('datagrams', async (stage, { host }, say) => {
  const one = new Uint8Array(1);
  for (const r of [...REMOTES, '255.255.255.255:9', '224.0.0.99:9']) {
    const does = async (call: () => unknown) => say(`${r}: ${await outcome(stage, call)}`);
    stage.names = [];
    const dialled = host.dial('udp', r);
    await does(() => dialled);
    const conn = await dialled.catch(() => undefined);
    if (conn !== undefined) {
      stage.names = [[`${conn.localAddr()}`, 'L']];
      await does(() => conn.write(one));
      conn.setReadDeadline(stage.wall(30));
      await does(() => conn.read(new Uint8Array(1)));
      await does(() => conn.write(one));
      conn.close();
    }
    const server = await host.listenUDP('udp');
    stage.names = [[`${server.localAddr()}`, 'L']];
    const to = await resolveUDPAddr('udp', r);
    await does(() => server.writeTo(one, to));
    server.setReadDeadline(stage.wall(30));
    await does(() => server.readFrom(new Uint8Array(1)));
    server.close();
  }
});

for (const kind of ['keepalive', 'user timeout', 'soft error']) {
  away(`a peer that goes away, and ${kind}`, async (stage, around, say) => {
    await around.listen();
    let socket: Socket | undefined;
    const control = (_network: string, _address: string, made: Socket) => {
      socket = made;
    };
    const conn = await stage.run(around.host.dial('tcp', '198.18.9.1:7', { control }));
    stage.names = [
      [`${conn.localAddr()}`, 'L'],
      [`${conn.remoteAddr()}`, 'R'],
    ];
    const does = async (call: () => unknown, what = '') =>
      say(what + (await outcome(stage, call, (got) => (got === null ? 'EOF' : 'ok'))));
    if (kind === 'keepalive') conn.setKeepAliveConfig({ enable: true, idle: 1000, interval: 1000, count: 1 });
    else {
      socket?.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 700);
      conn.setKeepAlive(false);
    }
    if (kind === 'soft error') around.vanish();
    else around.isCut = true;
    // What only waits for keepalives does not make time pass.
    if (kind === 'keepalive') await stage.clock.advance(3000);
    else await does(() => conn.write(new Uint8Array(10)), '10 ');
    await does(() => conn.read(new Uint8Array(1)));
    await does(() => conn.read(new Uint8Array(1)));
    await does(() => conn.write(new Uint8Array(1)));
    await does(() => conn.closeRead(), 'closeRead ');
    await does(() => conn.close(), 'close ');
  });
}
