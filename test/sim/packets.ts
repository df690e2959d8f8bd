/**
 * Random packets to a host in random states, with every option there is, well formed or not: nothing throws, everything is counted, the
 * invariants hold, and in the end all is given back. A seed decides all of it.
 */
import type { LinkReceiver } from '../../src/link/link.ts';
import { Packet } from '../../src/link/packet.ts';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import {
  IPPROTO_TCP,
  MSG_FASTOPEN,
  MSG_OOB,
  SHUT_WR,
  TCP_DEFER_ACCEPT,
  TCP_FASTOPEN,
  TCP_FASTOPEN_CONNECT,
  TCP_MD5SIG,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { Socket } from '../../src/socket/socket.ts';
import { Stack } from '../../src/stack/stack.ts';
import { cookieFor } from '../../src/tcp/fast-open-cookie.ts';
import { seededRandom } from '../../src/time/random.ts';
import type { IpAddress } from '../../src/wire/address.ts';
import { checkStack } from '../support/invariants.ts';
import { domainOf, FAMILY, type Family, inFamily, toIpv4, toIpv6 } from '../support/wire-family.ts';
import { WireClock, WireLink } from '../support/wire-link.ts';
import { buildIcmp, buildSegment } from '../support/wire-segment.ts';
import { Draw } from './draw.ts';
import { drawSettings } from './extension-settings.ts';
import { drawOptionBytes, type Near } from './packet-options.ts';

const SERVICE = 80;
const PORTS = [1001, 1002, 1003];
/** Where the DUT connects from. */
const CLIENT = 40_000;
const KEY = 'a secret';
const FLAGS = [
  'A',
  'A',
  'A',
  'PA',
  'PA',
  'FA',
  'FPA',
  'S',
  'S',
  'SEC',
  'SECN',
  'SA',
  'SAE',
  'R',
  'RA',
  'UA',
  'AEC',
  'AN',
  '',
];
const NEAR = [-70_000, -3000, -2, -1, 0, 0, 0, 0, 0, 0, 1, 2, 500, 3000, 70_000];
const WAITS = [0, 0, 0, 0, 1, 40, 250, 1100, 70_000];

/** @throws Error that names the seed and the packet. @returns how many were sent */
export async function playPackets(seed: string, count: number): Promise<number> {
  const world = new PacketWorld(seed);
  for (let i = 0; i < count; i++) {
    try {
      await world.step();
    } catch (error) {
      throw new Error(`seed ${seed}, packet ${i}: ${(error as Error).message}`, { cause: error });
    }
  }
  try {
    world.end();
  } catch (error) {
    throw new Error(`seed ${seed}, in the end: ${(error as Error).message}`, { cause: error });
  }
  return count;
}

class PacketWorld {
  readonly #draw: Draw;
  readonly #clock = new WireClock({ start: 1000 });
  readonly #stack: Stack;
  readonly #link: WireLink;
  readonly #listener: Socket;
  readonly #sockets: Socket[] = [];
  readonly #near = new Map<number, Near>();
  readonly #signed: boolean;
  readonly #family: Family;
  readonly #dut: IpAddress;
  readonly #peer: IpAddress;
  /** As IPv4 has it. */
  #last: Uint8Array | undefined;
  #dropped = 0;
  #sent = 0;

  constructor(seed: string) {
    this.#draw = new Draw(`packets ${seed}`);
    // Apart from the other draws: a seed is the same in every family.
    this.#family = FAMILY === '4' ? new Draw(`family ${seed}`).pick(['4', '4', '6', '6', 'mapped'] as const) : FAMILY;
    [this.#dut, this.#peer] = [inFamily('10.0.0.1', this.#family), inFamily('10.0.0.2', this.#family)];
    const draw = this.#draw;
    const random = seededRandom(`packets ${seed}`);
    const sysctl = {
      ...drawSettings(draw, 0.3),
      tcp_fastopen: draw.pick([1, 3, 0x603, 0x203]),
      tcp_syncookies: draw.integer(0, 2),
      tcp_abort_on_overflow: draw.chance(0.2),
    };
    const trace = (event: { type: string }) => {
      if (event.type === 'drop') this.#dropped++;
    };
    this.#stack = new Stack({ clock: this.#clock, random, sysctl, trace, hasher: nodeHasher });
    this.#link = new WireLink(draw.pick([this.#family === '6' ? 1280 : 576, 1500, 9000]), draw.chance(0.5), (bytes) =>
      this.#left(bytes),
    );
    this.#stack.addInterface(this.#link, {
      addresses: [{ address: this.#dut, bits: this.#family === '6' ? 120 : 24 }],
    });
    this.#signed = draw.chance(0.15);
    this.#listener = this.#socket();
    if (draw.chance(0.7)) this.#listener.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, draw.integer(1, 3));
    if (draw.chance(0.15)) this.#listener.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, 3);
    this.#listener.bind({ address: this.#dut, port: SERVICE });
    this.#listener.listen(draw.integer(0, 4));
  }

  /** Something happens at the host, some time passes, and a packet comes. */
  async step(): Promise<void> {
    this.#act();
    this.#clock.flush();
    const wait = this.#draw.pick(WAITS);
    if (wait > 0) await this.#clock.advance(wait);
    const { tcp } = this.#stack;
    const [received, dropped, before] = [tcp.counters.InSegs, this.#dropped, countersOf(this.#stack)];
    const icmp = this.#draw.chance(0.04) ? this.#icmp() : undefined;
    this.#deliver(icmp ?? this.#segment());
    if (icmp === undefined && tcp.counters.InSegs !== received + 1) throw new Error('InSegs did not count');
    if (this.#dropped > dropped && countersOf(this.#stack) <= before) throw new Error('a drop was not counted');
    checkStack(this.#stack, false);
  }

  end(): void {
    for (const socket of this.#sockets) socket.close();
    this.#clock.flush();
    this.#stack.close();
    const { tcp, slab, demux, ports } = this.#stack;
    const left = {
      chunks: slab.live,
      demux: demux.size,
      timers: tcp.timers.size,
      idle: tcp.idleTimers.size,
      ports: ports.size,
    };
    for (const [what, count] of Object.entries(left)) if (count !== 0) throw new Error(`${what}: ${count} left`);
  }

  #socket(): Socket {
    const socket = createSocket(this.#stack, domainOf(this.#family), 1, 0) as Socket;
    if (this.#signed) {
      const key = new TextEncoder().encode(KEY);
      socket.setsockopt(IPPROTO_TCP, TCP_MD5SIG, { address: this.#peer, key });
    }
    this.#sockets.push(socket);
    return socket;
  }

  #act(): void {
    const draw = this.#draw;
    const accepted = this.#listener.accept();
    if (accepted instanceof Socket) this.#sockets.push(accepted);
    const socket = draw.pick(this.#sockets);
    if (socket === this.#listener) {
      if (this.#sockets.length < 8 && draw.chance(0.5)) this.#connect();
      return;
    }
    const act = draw.integer(0, 20);
    if (act < 5) socket.recv(new Uint8Array(2000));
    else if (act < 10) socket.send(new Uint8Array(draw.pick([1, 100, 5000])), draw.chance(0.1) ? MSG_OOB : 0);
    else if (act === 10) socket.recv(new Uint8Array(1), MSG_OOB);
    else if (act === 11) socket.shutdown(SHUT_WR);
    else if (act === 12) {
      socket.close();
      this.#sockets.splice(this.#sockets.indexOf(socket), 1);
    }
  }

  #connect(): void {
    const socket = this.#socket();
    const port = CLIENT + (this.#sent % 2);
    if (socket.bind({ address: this.#dut, port }) !== 0) return;
    const way = this.#draw.integer(0, 2);
    const to = { address: this.#peer, port: SERVICE };
    if (way === 0) socket.send(new Uint8Array(100), MSG_FASTOPEN, to);
    if (way === 1) socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    if (way > 0) socket.connect(to);
  }

  #segment(): Uint8Array {
    const draw = this.#draw;
    const active = draw.chance(0.3);
    const dutPort = active ? CLIENT + draw.integer(0, 1) : SERVICE;
    const peerPort = active ? SERVICE : draw.pick(PORTS);
    const near = this.#nearOf(active ? dutPort : peerPort);
    const { primary } = this.#stack.tcp.fastOpen.keys;
    const flags = draw.pick(FLAGS);
    const raw = drawOptionBytes(
      draw,
      near,
      cookieFor(primary, this.#peer, this.#dut),
      this.#signed ? 20 : 40,
      flags.includes('S'),
    );
    const signature = this.#signed && draw.chance(0.9) ? { md5: KEY, family: this.#family } : undefined;
    return buildSegment({
      source: this.#peer.w3,
      destination: this.#dut.w3,
      sourcePort: peerPort,
      destinationPort: dutPort,
      seq: (near.seq + (draw.chance(0.03) ? draw.integer(-(2 ** 31), 2 ** 31 - 1) : draw.pick(NEAR))) | 0,
      ack: (near.ack + (draw.chance(0.03) ? draw.integer(-(2 ** 31), 2 ** 31 - 1) : draw.pick(NEAR))) | 0,
      flags,
      win: draw.pick([0, 1, 100, 8000, 65_535]),
      urg: draw.chance(0.1) ? draw.integer(0, 65_535) : 0,
      ecn: draw.pick([0, 0, 1, 2, 3]),
      data: new Uint8Array(draw.pick([0, 0, 0, 1, 100, 536, 1460])),
      options: { raw },
      signature,
    });
  }

  #icmp(): Uint8Array | undefined {
    if (this.#last === undefined) return undefined;
    const draw = this.#draw;
    const [type, code] = draw.pick([
      [3, draw.integer(0, 15)],
      [3, 4],
      [11, 0],
      [12, 0],
      [draw.integer(0, 255), 0],
    ] as const);
    const rest = draw.pick([0, 68, 576, 1400, draw.integer(0, 2 ** 31 - 1)]);
    const quoted = this.#last.slice(0, draw.pick([20, 28, 40, this.#last.length]));
    return buildIcmp(this.#peer.w3, this.#dut.w3, type, code, rest, quoted);
  }

  #nearOf(port: number): Near {
    const known = this.#near.get(port);
    if (known !== undefined) return known;
    const near = { seq: this.#draw.integer(-(2 ** 31), 2 ** 31 - 1), ack: 0, ts: 0, tsEcr: 0 };
    this.#near.set(port, near);
    return near;
  }

  #deliver(packet4: Uint8Array): void {
    this.#sent++;
    const bytes = this.#family === '6' ? toIpv6(packet4) : packet4;
    const receiver = this.#link.receiver as LinkReceiver;
    const packet = new Packet(receiver.slab.take(), 64);
    packet.chunk.bytes.set(bytes, packet.offset);
    packet.length = bytes.length;
    receiver.receive({ packets: [packet], length: 1 });
    packet.chunk.release();
    this.#clock.flush();
  }

  /** What the DUT sends says what it expects. */
  #left(packetOf: Uint8Array): void {
    if (packetOf[this.#family === '6' ? 6 : 9] !== 6) return;
    const bytes = this.#family === '6' ? toIpv4(packetOf) : packetOf;
    this.#last = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const [from, to] = [view.getUint16(20), view.getUint16(22)];
    const near = this.#nearOf(from === SERVICE ? to : from);
    const flags = view.getUint8(33);
    const header = (view.getUint8(32) >> 4) * 4;
    if ((flags & 4) !== 0) return;
    near.ack = (view.getInt32(24) + (bytes.length - 20 - header) + (flags & 1) + ((flags >> 1) & 1)) | 0;
    if ((flags & 16) !== 0) near.seq = view.getInt32(28);
  }
}

/** All that counts drops and answers, together; segments in and out do not. */
function countersOf({ tcp, ipCounters }: Stack): number {
  let sum = 0;
  for (const [name, value] of Object.entries({ ...tcp.counters, ...ipCounters })) {
    if (
      ![
        'InSegs',
        'OutSegs',
        'InReceives',
        'InDelivers',
        'OutRequests',
        'Ip6InReceives',
        'Ip6InDelivers',
        'Ip6OutRequests',
      ].includes(name) &&
      typeof value === 'number'
    )
      sum += value;
  }
  return sum;
}
