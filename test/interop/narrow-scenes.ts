/** What narrow.test.ts plays: behind the kernel, which forwards, lies a hop of 1280 bytes, and behind that a server of another kernel namespace. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHost } from '../../src/host.ts';
import { openTun } from '../../src/link/tun.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import { Neighbour } from '../support/veth.ts';
import { OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

const SERVER = '10.8.0.2';
const HOP = 1280;
/** Takes all that comes, then sends as much, and closes. */
const SERVE = `require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
  let got = 0;
  socket.on('data', (data) => { got += data.length; });
  socket.on('end', () => socket.end(Buffer.alloc(got, 7)));
}).listen(80, '${SERVER}', () => console.log('listening'));`;

export interface NarrowScene {
  readonly offload: boolean;
  /** The kernel's ICMP to us is thrown away. */
  readonly silent: boolean;
  readonly sysctl?: HostOptions['sysctl'];
}

/** Sends `size` bytes to the server and reads as many back. */
export function throughNarrowHop({ offload, silent, sysctl }: NarrowScene, size: number) {
  return onGround(
    { offload, sysctl: { mtu_expires: 1, ...sysctl }, routes: [{ destination: '0.0.0.0/0', via: '10.9.0.1' }] },
    async (ground) => {
      const server = await beyond(silent);
      try {
        const conn = await ground.within(3000, 'the handshake', ground.host.dial('tcp', `${SERVER}:80`));
        const writing = conn.write(new Uint8Array(size)).then(() => conn.closeWrite());
        let got = 0;
        const into = new Uint8Array(65_536);
        const reading = (async () => {
          for (let count = await conn.read(into); count !== null; count = await conn.read(into)) got += count;
        })();
        await ground.within(15_000, 'the transfer', Promise.all([writing, reading]));
        const { tcpi_snd_mss: mss, tcpi_pmtu: pmtu } = conn.tcpInfo();
        conn.close();
        return { got, mss, pmtu };
      } finally {
        server.kill();
      }
    },
  );
}

/** The same over IPv6; the kernel says so. */
export async function throughNarrowHop6(size: number) {
  const neighbour = await Neighbour.start(['fd08::1/64'], ['fd08::2/64'], HOP);
  // Else its MSS would say how narrow the hop is.
  neighbour.run('ip', '-6', 'route', 'add', 'default', 'via', 'fd08::1', 'advmss', '1440');
  setSysctl('net.ipv6.conf.all.forwarding', 1);
  const tun = openTun({ address: 'fd09::1/64' });
  const routes = [{ destination: '::/0', via: 'fd09::1' }];
  const host = createHost({ link: tun, address: 'fd09::2/64', routes, sysctl: { tcp_timewait_len: 0.1 } });
  const [program, ...entry] = neighbour.entry;
  const script = SERVE.replace(SERVER, '::');
  const server = spawn(program, [...entry, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(server.stdout, 'data');
    const conn = await host.dial('tcp', '[fd08::2]:80');
    const writing = conn.write(new Uint8Array(size)).then(() => conn.closeWrite());
    let got = 0;
    for await (const chunk of conn) got += chunk.length;
    await writing;
    const { tcpi_snd_mss: mss, tcpi_pmtu: pmtu } = conn.tcpInfo();
    conn.close();
    return { got, mss, pmtu, counters: { ...host.counters } };
  } finally {
    await host.close({ timeout: 0 });
    server.kill();
    neighbour.end();
  }
}

/** A namespace behind the hop, which ends with its only process. */
async function beyond(silent: boolean): Promise<ChildProcess> {
  const server = spawn('unshare', ['--net', 'sh', '-c', `read go; exec '${process.execPath}' -e "$SERVE"`], {
    env: { ...process.env, SERVE },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(server, 'spawn');
  const within = (...args: string[]) => execFileSync('nsenter', ['-t', String(server.pid), '-n', 'ip', ...args]);
  // `unshare` has made its namespace once it differs from ours.
  const own = namespaceOf('self');
  while (namespaceOf(server.pid) === own) await new Promise((resolve) => setTimeout(resolve, 5));
  ip('link', 'add', 'hop', 'type', 'veth', 'peer', 'name', 'hop', 'netns', String(server.pid));
  ip('addr', 'add', '10.8.0.1/24', 'dev', 'hop');
  ip('link', 'set', 'hop', 'mtu', String(HOP), 'up');
  within('addr', 'add', `${SERVER}/24`, 'dev', 'hop');
  within('link', 'set', 'hop', 'up');
  within('route', 'add', 'default', 'via', '10.8.0.1');
  setSysctl('net.ipv4.ip_forward', 1);
  setSysctl('net.ipv4.icmp_ratelimit', 0);
  if (silent) ip('rule', 'add', 'to', OURS, 'ipproto', 'icmp', 'priority', '1', 'blackhole');
  const said = once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  server.stdin?.write('go\n');
  await said;
  return server;
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

function namespaceOf(pid: number | string | undefined): string {
  return execFileSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' });
}
