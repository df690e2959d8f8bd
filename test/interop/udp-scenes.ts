/** What udp.test.ts plays in a network namespace of its own: the kernel at .1, a host at .2, of both families. */
import { spawnSync } from 'node:child_process';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createHost, type Host } from '../../src/host.ts';
import { openTun } from '../../src/link/tun.ts';
import { UDPAddr } from '../../src/net/udp-addr.ts';
import type { UDPConn } from '../../src/net/udp-conn.ts';
import { Watch } from './watch.ts';

export const moduleUrl = import.meta.url;

const KERNEL = { 4: '10.9.0.1', 6: '[fd09::1]' } as const;
const OURS = { 4: '10.9.0.2', 6: '[fd09::2]' } as const;

export interface UdpGround {
  readonly family: 4 | 6;
  readonly mtu?: number;
  readonly offload?: boolean;
}

interface Scene extends UdpGround {
  readonly host: Host;
  /** A socket of the kernel's, bound. */
  kernel(): Promise<Socket>;
}

async function onUdpGround<T extends object>(options: UdpGround, play: (scene: Scene) => Promise<T>) {
  const { family, mtu = 1500, offload = true } = options;
  const tun = openTun({ address: `${KERNEL[4]}/24`, mtu, offload });
  tun.setAddress('fd09::1/64');
  const watch = new Watch(tun);
  const host = createHost({ links: [{ link: watch, address: [`${OURS[4]}/24`, 'fd09::2/64'] }] });
  const sockets: Socket[] = [];
  const kernel = async () => {
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: 1_000_000 });
    sockets.push(socket);
    socket.bind(0, bare(KERNEL[family]));
    await once(socket, 'listening');
    return socket;
  };
  const before = kernelErrors(family);
  try {
    const result = await play({ ...options, host, kernel });
    const sockets = host.sockets().length;
    await host.close();
    if (watch.liveChunks !== 0) throw new Error(`${watch.liveChunks} chunks are held after the end`);
    return { ...result, sockets, counters: { ...host.counters }, kernelErrors: kernelErrors(family) - before };
  } finally {
    for (const socket of sockets) socket.close();
    await host.close({ timeout: 0 });
  }
}

/** Datagrams that the kernel found wrong. */
function kernelErrors(family: 4 | 6): number {
  if (family === 6) {
    const text = readFileSync('/proc/net/snmp6', 'utf8');
    return Number(/Udp6InErrors\s+(\d+)/.exec(text)?.[1]);
  }
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'));
  const at = (names as string).split(' ').indexOf('InErrors');
  return Number((values as string).split(' ')[at]);
}

function bare(host: string): string {
  return host.replace(/[[\]]/g, '');
}

function portOf(socket: Socket): number {
  return socket.address().port;
}

/** Both ask and answer: a socket of theirs asks ours, one of ours asks theirs, with datagrams of each size. @returns those that went wrong */
export function exchange(options: UdpGround, sizes: readonly number[]) {
  return onUdpGround(options, async ({ host, family, kernel }) => {
    const network = `udp${family}` as const;
    const [asking, answering] = [await kernel(), await kernel()];
    answering.on('message', (bytes: Buffer, { port, address }: RemoteInfo) => answering.send(bytes, port, address));
    const server = await host.listenPacket('udp', ':53');
    const serving = echo(server);
    const client = await host.dial(network, `${KERNEL[family]}:${portOf(answering)}`);
    const wrong: string[] = [];
    for (const size of sizes) {
      const data = Buffer.alloc(size, `${size} `);
      const reply = once(asking, 'message');
      asking.send(data, 53, bare(OURS[family]));
      const [bytes, { address, port }] = (await within(reply, `${size} from theirs`)) as [Buffer, RemoteInfo];
      if (!bytes.equals(data) || port !== 53 || address !== bare(OURS[family])) wrong.push(`${size} from theirs`);
      const reading = client.readDatagram();
      await client.write(data);
      const got = await within(reading, `${size} from ours`);
      if (Buffer.compare(got.data, data) !== 0 || `${got.addr}` !== `${client.remoteAddr()}`)
        wrong.push(`${size} from ours`);
    }
    server.close();
    client.close();
    await serving;
    return { wrong };
  });
}

async function echo(server: UDPConn): Promise<void> {
  for await (const { data, addr } of server) await server.writeTo(data, addr);
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not there after 3 s`)), 3000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Nobody listens, on either side. @returns what both sides hear */
export function refusals(options: UdpGround) {
  return onUdpGround(options, async ({ host, family }) => {
    const theirs = createSocket(family === 4 ? 'udp4' : 'udp6');
    theirs.connect(9, bare(OURS[family]));
    await once(theirs, 'connect');
    const refused = once(theirs, 'error');
    theirs.send('anybody there?');
    const [error] = (await within(refused, 'their refusal')) as [NodeJS.ErrnoException];
    theirs.close();
    const ours = await host.dial('udp', `${KERNEL[family]}:9`);
    await ours.write(new Uint8Array(3000));
    const told = await within(
      ours.read(new Uint8Array(1)).then(
        () => 'a datagram',
        (reason: Error) => reason.message,
      ),
      'our refusal',
    );
    const local = `${ours.localAddr()}`;
    ours.close();
    return { code: error.code, told: told.replace(local, 'HERE') };
  });
}

/** The kernel speaks to everybody on the network, and we do. @returns who heard what */
export function broadcasts(options: UdpGround) {
  return onUdpGround(options, async ({ host }) => {
    spawnSync('ip', ['addr', 'change', '10.9.0.1/24', 'broadcast', '10.9.0.255', 'dev', 'tun0']);
    const [one, two] = [await host.listenPacket('udp4', ':67'), await host.listenPacket('udp', ':68')];
    const theirs = createSocket('udp4');
    theirs.bind(69);
    await once(theirs, 'listening');
    theirs.setBroadcast(true);
    const heard = [one.readDatagram(), two.readDatagram()];
    theirs.send('67', 67, '10.9.0.255');
    theirs.send('68', 68, '10.9.0.255');
    const texts = await within(Promise.all(heard), 'what the kernel said to all');
    const reply = once(theirs, 'message');
    await one.writeTo(new TextEncoder().encode('to all'), new UDPAddr('10.9.0.255', 69));
    const [bytes] = (await within(reply, 'what we said to all')) as [Buffer];
    theirs.close();
    one.close();
    two.close();
    return { texts: texts.map(({ data }) => new TextDecoder().decode(data)), said: bytes.toString() };
  });
}

/** The kernel floods a socket that nobody reads. @returns how many datagrams are kept, and how much memory they take */
export function flood(options: UdpGround, count: number) {
  return onUdpGround(options, async ({ host, family, kernel }) => {
    const server = await host.listenPacket('udp', ':53');
    const theirs = await kernel();
    const data = Buffer.alloc(1000);
    for (let i = 0; i < count; i += 50) {
      const sent = Array.from(
        { length: 50 },
        () => new Promise((resolve) => theirs.send(data, 53, bare(OURS[family]), resolve)),
      );
      await Promise.all(sent);
    }
    const waiting = () => host.sockets().find(({ netid }) => netid === 'udp')?.recvQ ?? 0;
    for (let i = 0; i < 600 && host.counters.UdpRcvbufErrors === 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const memory = waiting();
    let kept = 0;
    for (; waiting() > 0; kept++) await server.readDatagram();
    server.close();
    return { kept, memory };
  });
}
