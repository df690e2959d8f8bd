/**
 * What assault.test.ts plays in a network namespace of its own: somebody behind the kernel floods a host on a TUN device, from addresses all over the world, while the
 * kernel's own processes use it.
 *
 *     enemy ── tun "enemy" ── the kernel, which forwards; node:net, node:dgram ── tun "ours" ── host
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHost, type Host } from '../../src/host.ts';
import type { LinkReceiver } from '../../src/link/link.ts';
import { Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import { openTun, type TunLink } from '../../src/link/tun.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import { seededRandom } from '../../src/time/random.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { ICMP, ICMPV6, ip4, ip6, joined, mended, TCP, UDP, view } from '../sim/fuzz-bytes.ts';
import { ip } from '../support/veth.ts';
import { fragmentHeader } from '../support/wire-fragment.ts';

export const moduleUrl = import.meta.url;

const PORT = 7;
const OWN4 = [10, 9, 0, 2];
const OWN6 = [0xfd, 9, ...new Array<number>(13).fill(0), 2];
/** Packets of a turn. */
const TURN = 60;
/** Answers that each customer is to get. */
const LEAST = 3;
const nothing = new Uint8Array();
const random = seededRandom('assault');
const word = () => [random.uint32() & 255, random.uint32() & 255, random.uint32() & 255, random.uint32() & 255];
const from4 = () => [11 + (random.uint32() % 100), ...word().slice(1)];
const from6 = () => [0x20, 1, 0x0d, 0xb8, ...word(), ...word(), ...word()];
const zeros = (count: number) => new Uint8Array(count);

function ports(bytes: Uint8Array, to: number): Uint8Array {
  view(bytes).setUint16(0, 1000 + (random.uint32() % 60_000));
  view(bytes).setUint16(2, to);
  return bytes;
}

function datagram(): Uint8Array {
  const bytes = ports(zeros(28), 9);
  view(bytes).setUint16(4, bytes.length);
  return bytes;
}

function syn(): Uint8Array {
  const bytes = ports(zeros(20), PORT);
  view(bytes).setUint32(4, random.uint32());
  view(bytes).setUint16(12, 0x5002);
  return bytes;
}

function fragment4(): Uint8Array {
  const packet = ip4(UDP, from4(), OWN4, zeros(32), nothing);
  view(packet).setUint16(4, random.uint32());
  view(packet).setUint16(6, 0x2000 | (random.uint32() % 8000));
  return mended(packet);
}

const FLOODS = {
  'fragments of IPv4': fragment4,
  'fragments of IPv6': () =>
    ip6(44, from6(), OWN6, Uint8Array.from(fragmentHeader(UDP, 0, true, random.uint32())), zeros(32)),
  'datagrams to a closed port': () => ip4(UDP, from4(), OWN4, datagram(), nothing),
  pings: () => ip4(ICMP, from4(), OWN4, joined([8, 0, 0, 0, ...word()], zeros(1000)), nothing),
  'pings of IPv6': () => ip6(ICMPV6, from6(), OWN6, nothing, joined([128, 0, 0, 0, ...word()], zeros(1000))),
  'SYNs of IPv6': () => ip6(TCP, from6(), OWN6, nothing, syn()),
} as const;

export const ASSAULTS = Object.keys(FLOODS) as (keyof typeof FLOODS)[];

// A scene that failed leaves links behind: the child is to end with its report all the same.
process.once('disconnect', () => process.exit());

/**
 * One flood of so many packets after the other. @returns what came of each: packets sent, what the kernel's processes got meanwhile, and what our memory
 * grew by, bytes
 */
export async function assaults(count: number) {
  setSysctl('net.ipv4.ip_forward', 1);
  setSysctl('net.ipv6.conf.all.forwarding', 1);
  const ours = openTun({ name: 'ours', address: '10.9.0.1/24' });
  const enemy = openTun({ name: 'enemy', address: '10.8.0.1/24' });
  ours.setAddress('fd09::1/64');
  enemy.setAddress('fd08::1/64');
  ip('route', 'add', 'default', 'dev', 'enemy');
  ip('-6', 'route', 'add', 'default', 'dev', 'enemy');
  enemy.attach(new Nobody());
  const host = createHost({
    link: ours,
    address: ['10.9.0.2/24', 'fd09::2/64'],
    routes: ['0.0.0.0/0', '::/0'].map((destination) => ({
      destination,
      via: destination === '::/0' ? 'fd09::1' : '10.9.0.1',
    })),
  });
  try {
    await serve(host);
    const outcomes = [];
    for (const what of ASSAULTS) {
      // What a first run takes in code and buffers is no growth.
      await during(flood(enemy, FLOODS[what], TURN));
      const before = process.memoryUsage().rss;
      const outcome = await during(flood(enemy, FLOODS[what], count));
      outcomes.push({ what, ...outcome, grown: process.memoryUsage().rss - before });
    }
    return { outcomes, counters: { ...host.counters } };
  } finally {
    await host.close({ timeout: 0 });
    enemy.close();
  }
}

/** Looks at nothing that comes. */
class Nobody implements LinkReceiver {
  readonly slab = new Slab();
  readonly clock = new RealClock();
  readonly addresses = [];
  receive(): void {}
  writable(): void {}
  up(): void {}
  down(): void {}
  closed(): void {}
}

async function serve(host: Host): Promise<void> {
  const listener = await host.listen('tcp', `:${PORT}`);
  const serveOne = async () => {
    for (;;) {
      const conn = await listener.accept();
      const bytes = new Uint8Array(4096);
      const echo = async () => {
        for (;;) {
          const count = await conn.read(bytes);
          if (count === null) break;
          await conn.write(bytes.subarray(0, count));
        }
      };
      echo().then(
        () => conn.close(),
        () => conn.close(),
      );
    }
  };
  serveOne().catch(() => {});
  const packets = await host.listenPacket('udp', `:${PORT}`);
  const answer = async () => {
    const bytes = new Uint8Array(4096);
    for (;;) {
      const { n, addr } = await packets.readFrom(bytes);
      await packets.writeTo(bytes.subarray(0, n), addr);
    }
  };
  answer().catch(() => {});
}

/** So many packets, in turns with everybody else. */
async function flood(enemy: TunLink, make: () => Uint8Array, count: number): Promise<number> {
  const slab = new Slab();
  const packets = Array.from({ length: TURN }, () => new Packet(slab.take(), 64));
  let sent = 0;
  while (sent < count) {
    for (const packet of packets) {
      const bytes = make();
      packet.chunk.bytes.set(bytes, packet.offset);
      packet.length = bytes.length;
    }
    sent += enemy.send({ packets, length: packets.length });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

/** While the flood lasts, and a little longer if need be, the kernel's processes use the host: a connection that is open, new ones of both families, datagrams. */
async function during(flooding: Promise<number>) {
  let flooded = false;
  const sending = flooding.finally(() => {
    flooded = true;
  });
  const goesOn = (count: number) => !flooded || count < LEAST;
  const [sent, echoes, dialled, datagrams] = await Promise.all([sending, repeat(goesOn), dials(goesOn), asks(goesOn)]);
  return { sent, echoes, dialled, datagrams };
}

async function opened(address: string): Promise<Socket> {
  const socket = connect(PORT, address);
  await once(socket, 'connect');
  return socket;
}

/** A question and its answer. @throws Error when it does not come within 8 s */
async function echo(socket: Socket): Promise<void> {
  const bytes = Buffer.alloc(1000, 7);
  socket.write(bytes);
  const late = AbortSignal.timeout(8000);
  for (let got = 0; got < bytes.length; ) {
    const [data] = (await once(socket, 'data', { signal: late })) as [Buffer];
    got += data.length;
  }
}

type GoesOn = (count: number) => boolean;

async function repeat(goesOn: GoesOn): Promise<number> {
  const socket = await opened('fd09::2');
  let count = 0;
  for (; goesOn(count); count++) {
    await echo(socket);
    await sleep(5);
  }
  socket.destroy();
  return count;
}

async function dials(goesOn: GoesOn): Promise<number> {
  let count = 0;
  for (; goesOn(count); count++) {
    const socket = await opened(count % 2 === 0 ? '10.9.0.2' : 'fd09::2');
    await echo(socket);
    socket.destroy();
    await sleep(20);
  }
  return count;
}

/** Datagrams that were answered; one that is not, in time, is asked again. */
async function asks(goesOn: GoesOn): Promise<number> {
  const socket = createSocket('udp4');
  socket.connect(PORT, '10.9.0.2');
  await once(socket, 'connect');
  let answered = 0;
  while (goesOn(answered)) {
    socket.send(Buffer.alloc(1000, 7));
    const answer = once(socket, 'message').then(() => 1);
    answered += await Promise.race([answer, sleep(300).then(() => 0)]);
    await sleep(5);
  }
  socket.close();
  return answered;
}
