/** What fragments.test.ts plays in a network namespace of its own: the kernel at .1, a host at .2. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createHost, type Host } from '../../src/host.ts';
import { openTun } from '../../src/link/tun.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import { AF_INET, AF_INET6, SO_RCVBUF, SO_SNDBUF, SOCK_DGRAM, SOL_SOCKET } from '../../src/socket/constants.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { IpAddress } from '../../src/wire/address.ts';

export const moduleUrl = import.meta.url;

const KERNEL = { 4: '10.9.0.1', 6: 'fd09::1' } as const;
const OURS = { 4: '10.9.0.2', 6: 'fd09::2' } as const;
const PORT = 5201;
const BUFFER = 4_000_000;

export interface FragmentGround {
  readonly family: 4 | 6;
  readonly mtu: number;
  readonly offload: boolean;
}

async function onFragmentGround<T extends object>(options: FragmentGround, play: (host: Host) => Promise<T>) {
  for (const name of ['rmem_max', 'wmem_max']) {
    // Not of a namespace of one's own on older kernels: then the buffers are what they are.
    try {
      setSysctl(`net.core.${name}`, BUFFER);
    } catch {}
  }
  const tun = openTun({ address: `${KERNEL[4]}/24`, mtu: options.mtu, offload: options.offload });
  if (options.mtu >= 1280) tun.setAddress(`${KERNEL[6]}/64`);
  const addresses = options.mtu >= 1280 ? [`${OURS[4]}/24`, `${OURS[6]}/64`] : [`${OURS[4]}/24`];
  const host = createHost({ links: [{ link: tun, address: addresses }] });
  try {
    const result = await play(host);
    await host.close();
    return { ...result, counters: { ...host.counters }, kernel: kernelCounters(options.family) };
  } finally {
    await host.close({ timeout: 0 });
  }
}

/** Pings of each size, many at once. @returns what ping said of those that were not answered rightly */
export function pings(options: FragmentGround, sizes: readonly number[]) {
  return onFragmentGround(options, async () => {
    const failed: string[] = [];
    const queue = [...sizes];
    const worker = async () => {
      for (let size = queue.shift(); size !== undefined; size = queue.shift()) {
        // On a busy machine an answer may be late: then once more.
        const said = (await ping(options, size)) && (await ping(options, size));
        if (said !== '') failed.push(`${size}: ${said}`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    return { failed };
  });
}

/** One ping, with a pattern that ping checks in what comes back. @returns what it said; empty: all was well */
async function ping({ family }: FragmentGround, size: number): Promise<string> {
  const child = spawn('ping', ['-n', '-c', '1', '-W', '5', '-s', String(size), OURS[family]]);
  let said = '';
  const listen = (data: Buffer) => {
    said += data.toString();
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  await once(child, 'close');
  return said.includes(' 1 received, 0% packet loss') && !said.includes('wrong data') ? '' : said;
}

/** The kernel sends datagrams of each size, one after the other, and gets them back. @returns the sizes of those that did not come back as they went */
export function datagrams(options: FragmentGround, sizes: readonly number[]) {
  return onFragmentGround(options, async (host) => {
    const { family } = options;
    const ours = host.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM) as DatagramSocket;
    ours.setsockopt(SOL_SOCKET, SO_RCVBUF, BUFFER);
    ours.setsockopt(SOL_SOCKET, SO_SNDBUF, BUFFER);
    ours.bind({ address: IpAddress.parse(OURS[family]) as IpAddress, port: PORT });
    echo(ours);
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: BUFFER });
    socket.connect(PORT, OURS[family]);
    await once(socket, 'connect');
    const wrong: number[] = [];
    for (const size of sizes) {
      const sent = Buffer.alloc(size, `${size},`);
      const reply = Promise.race([
        once(socket, 'message').then(([bytes]) => bytes as Buffer),
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 2000)),
      ]);
      socket.send(sent);
      const received = await reply;
      if (received?.equals(sent) !== true) wrong.push(size);
    }
    socket.close();
    ours.close();
    return { wrong };
  });
}

/**
 * A host behind a hop of 1280 bytes, which the kernel forwards into: each size is asked for until it is answered, as what is too large for the hop is lost until the kernel
 * has said so. @returns tries, by size
 */
export async function narrow(family: 4 | 6, sizes: readonly number[]) {
  setSysctl(family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding', 1);
  setSysctl(family === 4 ? 'net.ipv4.icmp_ratelimit' : 'net.ipv6.icmp.ratelimit', 0);
  const prefix = family === 4 ? '10.9.' : 'fd09:';
  const bits = family === 4 ? 24 : 64;
  const address = (network: number, host: number) =>
    family === 4 ? `${prefix}${network}.${host}` : `${prefix}${network}::${host}`;
  const hosts = [1500, 1280].map((mtu, network) => {
    const tun = openTun({ address: `${address(network, 1)}/${bits}`, mtu });
    const routes = [{ destination: family === 4 ? '0.0.0.0/0' : '::/0', via: address(network, 1) }];
    return createHost({ link: tun, address: `${address(network, 2)}/${bits}`, routes });
  }) as [Host, Host];
  try {
    const [asking, answering] = hosts.map((host) => {
      const socket = host.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM) as DatagramSocket;
      socket.setsockopt(SOL_SOCKET, SO_RCVBUF, BUFFER);
      return socket;
    }) as [DatagramSocket, DatagramSocket];
    answering.bind({ address: IpAddress.parse(address(1, 2)) as IpAddress, port: PORT });
    echo(answering);
    asking.connect({ address: IpAddress.parse(address(1, 2)) as IpAddress, port: PORT });
    const tries: Record<number, number> = {};
    for (const size of sizes) tries[size] = await triesOf(asking, size);
    return { tries, counters: hosts.map((host) => ({ ...host.counters })) };
  } finally {
    for (const host of hosts) await host.close({ timeout: 0 });
  }
}

function echo(socket: DatagramSocket): void {
  const buffer = new Uint8Array(65_536);
  socket.onReady = () => {
    for (;;) {
      const message = socket.recvfrom(buffer);
      if (typeof message === 'number') return;
      socket.sendto(buffer.subarray(0, message.length), 0, message.from);
    }
  };
}

/** How often a datagram of that size must be sent until the answer is right; 9: it never is. */
async function triesOf(socket: DatagramSocket, size: number): Promise<number> {
  const sent = Buffer.alloc(size, `${size},`);
  const received = Buffer.alloc(size + 1);
  for (let tries = 1; tries < 9; tries++) {
    const ready = new Promise<void>((resolve) => {
      socket.onReady = () => resolve();
      setTimeout(resolve, 300);
    });
    socket.send(sent);
    await ready;
    if (socket.recv(received) === size && received.subarray(0, size).equals(sent)) return tries;
  }
  return 9;
}

/** Ip or Ip6 of the kernel, as far as it is about fragments. */
function kernelCounters(family: 4 | 6): Record<string, number> {
  const found: Record<string, number> = {};
  if (family === 6) {
    for (const line of readFileSync('/proc/net/snmp6', 'utf8').trim().split('\n')) {
      const [name, value] = line.split(/\s+/) as [string, string];
      if (name.startsWith('Ip6Reasm') || name.startsWith('Ip6Frag')) found[name] = Number(value);
    }
    return found;
  }
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' ')) as [string[], string[]];
  for (const [i, name] of names.entries()) {
    if (name.startsWith('Reasm') || name.startsWith('Frag')) found[name] = Number(values[i]);
  }
  return found;
}
