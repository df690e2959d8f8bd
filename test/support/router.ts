/** A router between two networks, whose links keep what it sends: packets in, packets out. */

import { CHECKSUM_PARTIAL, Packet } from '../../src/link/packet.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import type { Interface } from '../../src/stack/interface.ts';
import { Stack } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { fold } from '../../src/wire/checksum.ts';
import { prefix, TapLink } from '../stack/tap.ts';
import {
  address,
  buildDatagram,
  type Datagram,
  pseudoSum,
  readDatagram,
  readError,
  type SeenDatagram,
  type SeenError,
} from './datagram.ts';

export interface RouterOptions {
  /** Of the right link, bytes; 1500. */
  readonly mtu?: number;
  readonly sysctl?: HostOptions['sysctl'];
}

/**
 *     10.1.0.0/24, 2001:db8:1::/64 ── left, router, right ── 10.2.0.0/24, 2001:db8:2::/64 ── the rest, by 10.2.0.9, 2001:db8:2::9
 */
export class Router {
  readonly clock = new VirtualClock();
  readonly stack: Stack;
  readonly left = new TapLink('left');
  readonly right: TapLink;
  readonly leftInterface: Interface;
  readonly rightInterface: Interface;

  constructor({ mtu = 1500, sysctl }: RouterOptions = {}) {
    this.right = new TapLink('right', mtu);
    this.stack = new Stack({
      clock: this.clock,
      random: seededRandom(1),
      sysctl: { ip_forward: true, forwarding: true, icmp_ratelimit: 0, icmp_msgs_per_sec: 1e6, ...sysctl },
    });
    const left = { addresses: [prefix('10.1.0.1/24'), prefix('2001:db8:1::1/64')] };
    const right = { addresses: [prefix('10.2.0.1/24'), prefix('2001:db8:2::1/64')] };
    this.leftInterface = this.stack.addInterface(this.left, left);
    this.rightInterface = this.stack.addInterface(this.right, right);
    this.route('192.0.2.0/24', '10.2.0.9');
    this.route('2001:db8:ffff::/48', '2001:db8:2::9');
  }

  /** Over the right link. */
  route(network: string, gateway: string): void {
    const { address: destination, bits } = prefix(network);
    this.stack.addRoute({ destination, bits, interface: this.rightInterface, gateway: address(gateway) });
  }

  /** A packet comes from the left. */
  pass(datagram: Datagram): void {
    this.left.deliver(buildDatagram(datagram));
  }

  /** A datagram of UDP, whose checksum is left to be completed, comes from the left. */
  passPartial(datagram: Datagram): void {
    const bytes = buildDatagram(datagram);
    const transport = bytes[0] === 0x45 ? 20 : 40;
    const view = new DataView(bytes.buffer);
    const pseudo = pseudoSum(address(datagram.from), address(datagram.to), 17) + bytes.length - transport;
    view.setUint16(transport + 6, fold(pseudo));
    this.passOffloaded(bytes, transport, 6, 0);
  }

  /** A packet with a partial checksum comes from the left. */
  passOffloaded(bytes: Uint8Array, transportOffset: number, checksumOffset: number, segmentSize: number): void {
    const packet = new Packet(this.left.receiver.slab.take(), 0);
    packet.chunk.bytes.set(bytes);
    packet.length = bytes.length;
    packet.checksum = CHECKSUM_PARTIAL;
    packet.transportOffset = transportOffset;
    packet.checksumOffset = checksumOffset;
    packet.segmentSize = segmentSize;
    this.left.receiver.receive({ packets: [packet], length: 1 });
    packet.chunk.release();
  }

  /** What has left to the right. */
  passed(): SeenDatagram[] {
    return this.right.drain().map((bytes) => readDatagram(bytes));
  }

  /** The ICMP errors that have gone back to the left. */
  errors(): SeenError[] {
    return this.left.drain().map((bytes) => readError(bytes));
  }
}
