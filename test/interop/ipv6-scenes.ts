/** What ipv6.test.ts plays in a network namespace of its own: the kernel at .1, a host at .2, with IPv4, IPv6 and link-local addresses. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { createHost, type Host } from '../../src/host.ts';
import { openTun, type TunLink } from '../../src/link/tun.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { serveHttp } from '../../src/node/http.ts';
import { exchange, exchangeSocket } from './flow.ts';
import { Watch } from './watch.ts';

export const moduleUrl = import.meta.url;

export const KERNEL = { ipv4: '10.9.0.1', ipv6: '2001:db8:9::1', local: 'fe80::1' } as const;
export const OURS = { ipv4: '10.9.0.2', ipv6: '2001:db8:9::2', local: 'fe80::2' } as const;

// A scene that failed leaves sockets and timers behind: the child is to end with its report all the same.
process.once('disconnect', () => process.exit());

interface Ground {
  readonly host: Host;
  readonly watch: Watch;
  /** The device's name, which is the zone for both. */
  readonly zone: string;
}

async function onGround<T extends object>(
  options: { mtu?: number; offload?: boolean },
  play: (ground: Ground) => Promise<T>,
) {
  const { mtu = 1500, offload = true } = options;
  const tun = openTun({ address: `${KERNEL.ipv6}/64`, mtu, offload });
  tun.setAddress(`${KERNEL.ipv4}/24`);
  ip(`addr add ${KERNEL.local}/64 dev ${tun.name} nodad`);
  for (const to of [`${OURS.ipv6}/128`, `${OURS.ipv4}/32`]) tun.addRoute(to, { congestionControl: 'cubic' });
  const watch = new Watch(tun);
  const address = [`${OURS.ipv4}/24`, `${OURS.ipv6}/64`, `${OURS.local}/64`];
  const host = createHost({
    links: [{ link: watch, address }],
    routes: [{ destination: '::/0', via: KERNEL.local, interface: watch.name }],
    sysctl: { tcp_timewait_len: 0.1 },
  });
  try {
    await answered(tun);
    const result = await play({ host, watch, zone: tun.name });
    const counters = { ...host.counters };
    await host.close();
    if (watch.liveChunks !== 0) throw new Error(`${watch.liveChunks} chunks are held after the end`);
    return { ...result, counters, refusals: [...tun.statistics.refusals] };
  } finally {
    await host.close({ timeout: 0 });
  }
}

function ip(words: string): void {
  const { status, stderr } = spawnSync('ip', words.split(' '), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words}: ${stderr}`);
}

/** The kernel takes an IPv6 address up a moment after it was given one: until then it has no source for what it sends. */
async function answered(tun: TunLink): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const { stdout } = spawnSync('ip', ['-6', 'route', 'show', 'table', 'local'], { encoding: 'utf8' });
    if (stdout.includes(KERNEL.ipv6) && stdout.includes(`${KERNEL.local} dev ${tun.name}`)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the kernel does not take up its addresses');
}

async function output(program: string, args: readonly string[]): Promise<{ status: number | null; said: string }> {
  const child = spawn(program, args);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      said += data.toString();
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, said };
}

/** What curl gets from one dual-stack listener of ours, which answers with what it takes the ends of the connection to be. */
export function curls() {
  return onGround({}, async ({ host, zone }) => {
    const listener = await host.listen('tcp', ':80');
    const both = serveHttp(
      listener,
      createHttpServer((request, response) => {
        const { remoteAddress, localAddress } = request.socket;
        response.end(`${localAddress} from ${remoteAddress}`);
      }),
    );
    const only = serveHttp(
      await host.listen('tcp6', ':81'),
      createHttpServer((_, response) => void response.end('six')),
    );
    const get = async (url: string) => {
      const { status, said } = await output('curl', ['--silent', '--show-error', '--max-time', '5', '--globoff', url]);
      return status === 0 ? said : `status ${status}`;
    };
    const answers = {
      addr: `${listener.addr()}`,
      ipv4: await get(`http://${OURS.ipv4}/`),
      ipv6: await get(`http://[${OURS.ipv6}]/`),
      local: (await get(`http://[${OURS.local}%25${zone}]/`)).replaceAll(zone, 'ZONE'),
      only6: await get(`http://[${OURS.ipv6}]:81/`),
      only4: await get(`http://${OURS.ipv4}:81/`),
      closed: await get(`http://[${OURS.ipv6}]:82/`),
    };
    await Promise.all([both.close(), only.close()]);
    return { answers };
  });
}

export type Way = 'ipv6' | 'local' | 'ipv4';

/** `bytes` go both ways at once over a connection that the one or the other dials. */
export function transfer(way: Way, dialler: 'kernel' | 'tunstack', offload: boolean, bytes: number) {
  return onGround({ offload }, async ({ host, watch, zone }) => {
    const plan = { bytes, hash: true };
    const suffix = way === 'local' ? `%${zone}` : '';
    const { segments } = watch.tally.out;
    if (dialler === 'kernel') {
      const listener = await host.listen('tcp', ':7');
      const accepted = listener.accept().then((conn) => exchange(conn, plan));
      const socket = connect({ port: 7, host: `${OURS[way]}${suffix}`, allowHalfOpen: true });
      const [ours, kernels] = await Promise.all([accepted, exchangeSocket(socket, plan)]);
      return { ours, kernels, packets: watch.tally.out.packets, segments: watch.tally.out.segments - segments };
    }
    const server = createServer({ allowHalfOpen: true }).listen(7, '::');
    const served = once(server, 'connection').then(([socket]) => exchangeSocket(socket as Socket, plan));
    const address = `${KERNEL[way]}${suffix}`;
    const conn = await host.dial('tcp', way === 'ipv4' ? `${address}:7` : `[${address}]:7`);
    const [ours, kernels] = await Promise.all([exchange(conn, plan), served]);
    server.close();
    return { ours, kernels, packets: watch.tally.out.packets, segments: watch.tally.out.segments - segments };
  });
}

/** Pings to each of our addresses, three of each size. */
export function pings(sizes: readonly number[]) {
  return onGround({}, async ({ zone }) => {
    const lines: string[] = [];
    for (const size of sizes) {
      for (const to of [OURS.ipv6, `${OURS.local}%${zone}`]) {
        const args = ['-6', '-n', '-c', '3', '-i', '0.02', '-W', '2', '-s', String(size), to];
        const { said } = await output('ping', args);
        if (!said.includes('3 packets transmitted, 3 received, 0% packet loss')) lines.push(`${to} ${size}: ${said}`);
      }
    }
    return { lines };
  });
}

/** What a dial of ours fails with: at a closed port, and at networks beyond the kernel that it rejects. */
export function refusals() {
  return onGround({}, async ({ host, zone }) => {
    setSysctl('net.ipv6.conf.all.forwarding', 1);
    ip('-6 route add unreachable 2001:db8:a::/48');
    ip('-6 route add prohibit 2001:db8:b::/48');
    const fails = async (address: string) => {
      try {
        await host.dial('tcp', address, { timeout: 5000 });
        return 'connected';
      } catch (error) {
        return (error as OpError).message.replaceAll(zone, 'ZONE');
      }
    };
    const failures: string[] = [];
    for (const address of [KERNEL.ipv6, `${KERNEL.local}%${zone}`, '2001:db8:a::1', '2001:db8:b::1', KERNEL.local])
      failures.push(await fails(`[${address}]:9`));
    // By nftables, where there is one, what no route says.
    const rejects: string[] = [];
    for (const [port, code] of [
      [11, 'addr-unreachable'],
      [12, 'port-unreachable'],
      [13, 'admin-prohibited'],
    ] as const) {
      const rule = `table ip6 t { chain c { type filter hook input priority 0; tcp dport ${port} reject with icmpv6 type ${code}; }; }`;
      const { status } = spawnSync('nft', ['-f', '-'], { input: rule });
      rejects.push(status === 0 ? await fails(`[${KERNEL.ipv6}]:${port}`) : 'no nft');
    }
    return { failures, rejects };
  });
}
