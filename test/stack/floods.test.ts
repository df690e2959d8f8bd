/**
 * Floods from everywhere at once, into a host that serves somebody on another link: what the host keeps stays within its bounds, goes when time has passed, and
 * whoever is served notices nothing. Over a TUN device: test/interop/floods.test.ts. Of ARP and neighbour discovery: test/rfc/826, test/rfc/4861.
 */
import { expect } from 'chai';
import { createPipe } from '../../src/link/pipe.ts';
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { Socket } from '../../src/socket/socket.ts';
import { Stack } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IPV6_ANY, IpAddress } from '../../src/wire/address.ts';
import { ICMP, ICMPV6, ip4, ip6, joined, mended, TCP, UDP, view } from '../sim/fuzz-bytes.ts';
import { OWN4, OWN6 } from '../sim/fuzz-source.ts';
import { fragmentHeader } from '../support/wire-fragment.ts';
import { prefix, TapLink } from './tap.ts';

const ROUNDS = 8;
const PACKETS = 500;
const PORT = 80;
const at = (text: string) => ({ address: IpAddress.parse(text) as IpAddress, port: PORT });

/** Somebody, somewhere. */
const random = seededRandom('floods');
const word = () => [random.uint32() & 255, random.uint32() & 255, random.uint32() & 255, random.uint32() & 255];
const from4 = () => [11 + (random.uint32() % 100), ...word().slice(1)];
const from6 = () => [0x20, 1, 0x0d, 0xb8, ...word(), ...word(), ...word()];
const nothing = new Uint8Array();
const zeros = (count: number) => new Uint8Array(count);

function datagram(port: number, length: number): Uint8Array {
  const bytes = zeros(8 + length);
  view(bytes).setUint16(0, 1000 + (random.uint32() % 60_000));
  view(bytes).setUint16(2, port);
  view(bytes).setUint16(4, bytes.length);
  return bytes;
}

function syn(): Uint8Array {
  const bytes = zeros(20);
  view(bytes).setUint16(0, 1000 + (random.uint32() % 60_000));
  view(bytes).setUint16(2, PORT);
  view(bytes).setUint32(4, random.uint32());
  view(bytes).setUint16(12, 0x5002);
  view(bytes).setUint16(14, 65_535);
  return bytes;
}

function piece4(offset: number): Uint8Array {
  const packet = ip4(UDP, from4(), OWN4, zeros(32), nothing);
  view(packet).setUint16(4, random.uint32());
  view(packet).setUint16(6, 0x2000 | (offset >> 3));
  return mended(packet);
}

const ping = (type: number, length: number) => joined([type, 0, 0, 0, ...word()], zeros(length));
/** "Packet too big" about a datagram of the host's to somewhere. */
const tooBig = () => joined([2, 0, 0, 0, 0, 0, 5, 0], ip6(UDP, OWN6, from6(), nothing, portsOf(zeros(8))));
function portsOf(bytes: Uint8Array): Uint8Array {
  view(bytes).setUint16(0, PORT);
  view(bytes).setUint16(2, 9);
  view(bytes).setUint16(4, 8);
  return bytes;
}

/** What comes, and what shows that it went as far as it can. */
const FLOODS: readonly (readonly [string, () => Uint8Array, (victim: Stack) => number])[] = [
  [
    'first fragments of IPv6',
    () => ip6(44, from6(), OWN6, Uint8Array.from(fragmentHeader(UDP, 0, true, random.uint32())), zeros(32)),
    ({ counters }) => counters.Ip6ReasmFails,
  ],
  [
    'last fragments of IPv6',
    () => ip6(44, from6(), OWN6, Uint8Array.from(fragmentHeader(UDP, 65_000, false, random.uint32())), zeros(32)),
    ({ counters }) => counters.Ip6ReasmFails,
  ],
  ['fragments of IPv4', () => piece4(random.uint32() % 60_000), ({ counters }) => counters.ReasmFails],
  [
    'datagrams to closed ports, IPv4',
    () => ip4(UDP, from4(), OWN4, datagram(9, 20), nothing),
    ({ counters }) => counters.IcmpOutRateLimitHost,
  ],
  [
    'datagrams to closed ports, IPv6',
    () => ip6(UDP, from6(), OWN6, nothing, datagram(9, 20)),
    ({ counters }) => counters.Icmp6OutRateLimitHost,
  ],
  [
    'datagrams to an open port',
    () => ip6(UDP, from6(), OWN6, nothing, datagram(PORT, 1000)),
    ({ counters }) => counters.Udp6RcvbufErrors,
  ],
  ['pings of IPv4', () => ip4(ICMP, from4(), OWN4, ping(8, 1000), nothing), ({ counters }) => counters.IcmpOutEchoReps],
  [
    'pings of IPv6',
    () => ip6(ICMPV6, from6(), OWN6, nothing, ping(128, 1000)),
    ({ counters }) => counters.Icmp6OutEchoReplies,
  ],
  ['SYNs of IPv6', () => ip6(TCP, from6(), OWN6, nothing, syn()), ({ counters }) => counters.SyncookiesSent],
  ['SYNs of IPv4', () => ip4(TCP, from4(), OWN4, syn(), nothing), ({ counters }) => counters.SyncookiesSent],
  [
    'errors about datagrams',
    () => ip6(ICMPV6, from6(), OWN6, nothing, tooBig()),
    ({ network }) => Number(network.mtus.size === 2048) * PACKETS,
  ],
];

class Scene {
  readonly clock = new VirtualClock();
  readonly victim: Stack;
  readonly friend: Stack;
  readonly enemy = new TapLink('enemy', 1500);
  readonly #listener: Socket;
  readonly #datagrams: DatagramSocket;
  /** Of the friend. */
  readonly #asking: DatagramSocket;

  constructor() {
    const [near, far] = createPipe();
    this.victim = new Stack({ clock: this.clock, random: seededRandom(1) });
    this.friend = new Stack({ clock: this.clock, random: seededRandom(2) });
    this.friend.addInterface(near, { addresses: ['10.9.0.1/24', 'fd09::1/64'].map(prefix) });
    this.victim.addInterface(far, { addresses: ['10.9.0.2/24', 'fd09::2/64'].map(prefix) });
    const world = this.victim.addInterface(this.enemy, { addresses: ['10.0.0.1/24', 'fd00::1/64'].map(prefix) });
    this.victim.addRoute({ destination: IPV6_ANY, bits: 0, interface: world });
    this.#listener = createSocket(this.victim, AF_INET6, SOCK_STREAM, 0) as Socket;
    this.#listener.bind({ address: IPV6_ANY, port: PORT });
    this.#listener.listen(32);
    this.#datagrams = createSocket(this.victim, AF_INET6, SOCK_DGRAM, 0) as DatagramSocket;
    this.#datagrams.bind({ address: IPV6_ANY, port: PORT });
    this.#asking = createSocket(this.friend, AF_INET6, SOCK_DGRAM, 0) as DatagramSocket;
    this.#asking.connect(at('fd09::2'));
  }

  /** A connection of the friend's, and both of its ends. */
  async connect(to: string): Promise<readonly [Socket, Socket]> {
    const near = createSocket(this.friend, to.includes(':') ? AF_INET6 : AF_INET, SOCK_STREAM, 0) as Socket;
    near.connect(at(to));
    await this.clock.advance(5);
    const far = this.#listener.accept();
    if (!(far instanceof Socket)) throw new Error(`nobody was accepted: ${far}`);
    return [near, far];
  }

  async echo([near, far]: readonly [Socket, Socket], length: number): Promise<void> {
    const buffer = zeros(length + 1);
    expect(near.send(zeros(length))).to.equal(length);
    await this.clock.advance(5);
    expect(far.recv(buffer)).to.equal(length);
    expect(far.send(zeros(length))).to.equal(length);
    await this.clock.advance(5);
    expect(near.recv(buffer)).to.equal(length);
  }

  /** A datagram of the friend's gets an answer; others are read and forgotten. */
  async ask(length: number): Promise<void> {
    const buffer = zeros(length + 1);
    this.#asking.send(zeros(length));
    await this.clock.advance(5);
    for (;;) {
      const message = this.#datagrams.recvfrom(buffer);
      if (typeof message === 'number') throw new Error(`the datagram has not come: ${message}`);
      if (message.length !== length || !message.from.address.equals(at('fd09::1').address)) continue;
      this.#datagrams.sendto(buffer.subarray(0, length), 0, message.from);
      break;
    }
    await this.clock.advance(5);
    expect(this.#asking.recv(buffer)).to.equal(length);
  }

  drain(): void {
    const buffer = zeros(2000);
    while (this.#datagrams.recv(buffer) > 0);
  }

  bounds(): void {
    const { reassembly, network, icmpLimit, demux, slab, udp, sysctl } = this.victim;
    expect(reassembly.memory(4), 'fragments').to.be.at.most(sysctl.ipfrag_high_thresh + 4000);
    expect(reassembly.memory(6), 'fragments').to.be.at.most(sysctl.ip6frag_high_thresh + 4000);
    expect(network.mtus.size, 'path MTUs').to.be.at.most(2048);
    expect(icmpLimit.size, 'ICMP buckets').to.be.at.most(1024);
    expect(demux.size, 'connections and embryos').to.be.at.most(64);
    // Fragments of both families, as they lie in chunks, and a little for everything else.
    expect(slab.live * 65_600, 'chunks').to.be.at.most(2 * 4_194_304 + 1_000_000);
    expect(udp.pool.live, 'buffers of datagrams').to.be.at.most(2);
  }

  async end(): Promise<void> {
    this.#listener.close();
    this.#datagrams.close();
    this.#asking.close();
    await this.clock.advance(700_000);
    const { reassembly, network, slab, demux } = this.victim;
    expect([reassembly.size, reassembly.sources, network.mtus.size, demux.size]).to.deep.equal([0, 0, 0, 0]);
    this.victim.close();
    this.friend.close();
    expect(slab.live).to.equal(0);
  }
}

describe('floods', () => {
  for (const [what, packet, reached] of FLOODS) {
    it(`of ${what}: bounded, gone in the end, and nobody else notices`, async () => {
      const scene = new Scene();
      const open = await scene.connect('fd09::2');
      for (let round = 0; round < ROUNDS; round++) {
        for (let i = 0; i < PACKETS; i++) scene.enemy.deliver(packet());
        scene.bounds();
        scene.enemy.drain();
        scene.drain();
        await scene.echo(open, 1000);
        await scene.ask(1000);
        // Which takes fragments; those of IPv6 have no room when others fill it (Linux).
        if (!what.includes('IPv6')) await scene.ask(5000);
        if (round % 4 === 3) {
          const other = await scene.connect(round % 8 === 3 ? 'fd09::2' : '10.9.0.2');
          await scene.echo(other, 100);
          for (const socket of other) socket.close();
        }
      }
      expect(reached(scene.victim), 'the flood reached what it is aimed at').to.be.at.least(PACKETS);
      for (const socket of open) socket.close();
      await scene.end();
    });
  }
});
