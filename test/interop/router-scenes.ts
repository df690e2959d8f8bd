/**
 * What router.test.ts plays: two kernels with two routers of ours between them, whose networks take 1500 bytes and the hop in the middle 1280:
 *
 *     the kernel here, 10.1.0.1 ── tun a ── R1 ── hop ── R2 ── tun b ── 10.2.0.1, the kernel of another namespace
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createHost, type Host } from '../../src/host.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { openTun } from '../../src/link/tun.ts';
import type { LinkOptions } from '../../src/net/host-options.ts';
import type { RouteOptions } from '../../src/net/route-options.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { ip, Neighbour } from '../support/veth.ts';

export const moduleUrl = import.meta.url;

const HOP = 1280;
const ICMP = { icmp_ratelimit: 0, icmp_msgs_per_sec: 100_000 };
/** In the other namespace: takes all that comes and says how much it was when the other side has ended, then sends as much. */
const SERVE = `require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
  let got = 0;
  socket.on('data', (data) => { got += data.length; });
  socket.on('end', () => socket.end(Buffer.alloc(got, 7)));
}).listen(80, '::', () => console.log('listening'));`;

export const FAR = { 4: '10.2.0.1', 6: 'fd02::1' } as const;

interface Setup {
  readonly far: Neighbour;
  readonly routers: readonly [Host, Host];
}

// A scene that failed leaves links behind: the child is to end with its report all the same.
process.once('disconnect', () => process.exit());

async function within<T>(offload: boolean, play: (setup: Setup) => Promise<T>): Promise<T> {
  const far = await Neighbour.start([], []);
  const hosts: Host[] = [];
  try {
    hosts.push(...build(far, offload));
    return await play({ far, routers: hosts as unknown as Setup['routers'] });
  } finally {
    await Promise.all(hosts.map((host) => host.close({ timeout: 0 })));
    far.end();
  }
}

function build(far: Neighbour, offload: boolean): Host[] {
  const near = openTun({ name: 'near', offload });
  const other = openTun({ name: 'far', offload });
  ip('link', 'set', 'dev', 'far', 'netns', String(far.pid));
  const here = (...args: string[]) => ip(...args);
  const there = (...args: string[]) => far.run('ip', ...args);
  for (const [run, name, n] of [
    [here, 'near', 1],
    [there, 'far', 2],
  ] as const) {
    run('addr', 'add', `10.${n}.0.1/24`, 'dev', name);
    run('addr', 'add', `fd0${n}::1/64`, 'dev', name, 'nodad');
    run('link', 'set', 'dev', name, 'up');
    run('route', 'add', 'default', 'via', `10.${n}.0.254`);
    run('-6', 'route', 'add', 'default', 'via', `fd0${n}::fe`);
  }
  const clock = new RealClock();
  const [hop1, hop2] = createPipe({ mtu: HOP, offload });
  return [
    router(clock, 1, [port(near, 1, 254), port(hop1, 3, 1)]),
    router(clock, 2, [port(other, 2, 254), port(hop2, 3, 2)]),
  ];
}

function port(link: LinkOptions['link'], n: number, own: number): LinkOptions {
  return { link, name: `n${n}`, address: [`10.${n}.0.${own}/24`, `fd0${n}::${own.toString(16)}/64`] };
}

function router(clock: RealClock, own: number, links: LinkOptions[]): Host {
  const n = 3 - own;
  const routes: RouteOptions[] = [
    { destination: `10.${n}.0.0/24`, via: `10.3.0.${n}` },
    { destination: `fd0${n}::/64`, via: `fd03::${n}` },
  ];
  return createHost({ links, routes, forwarding: true, clock, sysctl: ICMP });
}

/** The lines of `traceroute` with these options. */
export function trace(runs: readonly (readonly string[])[]) {
  return within(true, async () => {
    const lines: string[][] = [];
    for (const args of runs) {
      // Not synchronously: the routers are in this process.
      const child = spawn('traceroute', ['-n', '-q', '1', '-w', '2', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
      await once(child, 'close');
      lines.push(
        said
          .trim()
          .split('\n')
          .slice(1)
          .map((line) => line.trim().split(/\s+/).slice(0, 2).join(' ')),
      );
    }
    return lines;
  });
}

/** What `ping` says, each with its arguments. */
export function pings(runs: readonly (readonly string[])[]) {
  return within(true, async ({ routers }) => {
    const said: string[] = [];
    for (const args of runs) {
      const child = spawn('ping', ['-n', '-c', '1', '-W', '2', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (data: Buffer) => (text += data.toString()));
      await once(child, 'close');
      said.push(text);
    }
    return { said, counters: routers.map(({ counters }) => ({ ...counters })) };
  });
}

/** Sends `size` bytes through the routers and reads as many back; then asks both kernels what they know of the path. */
export function transfer(family: 4 | 6, offload: boolean, size: number) {
  return within(offload, async ({ far, routers }) => {
    const [program, ...entry] = far.entry;
    const server = spawn(program, [...entry, process.execPath, '-e', SERVE], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(server.stdout, 'data');
    const socket = connect({ host: FAR[family], port: 80, allowHalfOpen: true });
    socket.end(Buffer.alloc(size, 1));
    let got = 0;
    socket.on('data', (data: Buffer) => (got += data.length));
    await once(socket, 'end');
    const near = execFileSync('ip', ['route', 'get', FAR[family]], { encoding: 'utf8' });
    const back = far.run('ip', 'route', 'get', family === 4 ? '10.1.0.1' : 'fd01::1');
    server.kill();
    const mtuOf = (text: string) => Number(/\bmtu (\d+)/.exec(text)?.[1]);
    return { got, mtus: [mtuOf(near), mtuOf(back)], counters: routers.map(({ counters }) => ({ ...counters })) };
  });
}
