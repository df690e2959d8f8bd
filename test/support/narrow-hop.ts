/**
 * Two hosts with a router between them, whose networks take 1500 bytes while the hop in its middle takes less:
 *
 *     10.1.0.1 ── 1500 ── 10.1.0.254 ▒ hop ▒ 10.2.0.254 ── 1500 ── 10.2.0.1
 *
 * What does not fit and has DF set is dropped; the router says so (RFC 1191 4), or keeps it to itself: a black hole.
 */
import { createHost, type Host } from '../../src/host.ts';
import type { Link, LinkReceiver } from '../../src/link/link.ts';
import { Packet, type PacketBatch } from '../../src/link/packet.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { Slab } from '../../src/link/slab.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { buildIcmp } from './wire-segment.ts';

export const NEAR = '10.1.0.1';
export const FAR = '10.2.0.1';

export interface NarrowOptions {
  /** Of the hop in the middle, bytes. */
  readonly mtu: number;
  /** The router says nothing. Default: false. */
  readonly silent?: boolean;
  readonly sysctl?: HostOptions['sysctl'];
}

export class NarrowHop {
  readonly clock = new VirtualClock();
  readonly near: Host;
  readonly far: Host;
  /** Packets that did not fit. */
  dropped = 0;
  /** The largest that got through, bytes. */
  largest = 0;
  readonly #options: NarrowOptions;

  constructor(options: NarrowOptions) {
    this.#options = options;
    const [left, leftOfRouter] = createPipe({ offload: false, latency: 10 });
    const [right, rightOfRouter] = createPipe({ offload: false, latency: 10 });
    const { sysctl } = options;
    const { clock } = this;
    const host = (link: Link, address: string, via: string, seed: number) =>
      createHost({ link, address: `${address}/24`, routes: [{ destination: '0.0.0.0/0', via }], clock, seed, sysctl });
    this.near = host(left, NEAR, '10.1.0.254', 1);
    this.far = host(right, FAR, '10.2.0.254', 2);
    const toLeft = new Port(leftOfRouter, '10.1.0.254');
    const toRight = new Port(rightOfRouter, '10.2.0.254');
    toLeft.open(clock, (bytes) => this.#forward(bytes, toLeft, toRight));
    toRight.open(clock, (bytes) => this.#forward(bytes, toRight, toLeft));
  }

  /** A connection from the near host to the far one. */
  async connect() {
    const listener = await this.far.listen('tcp', `${FAR}:0`);
    const both = Promise.all([this.near.dial('tcp', listener.addr().toString()), listener.accept()]);
    const [dialled, accepted] = await this.clock.run({ until: both });
    listener.close();
    return { dialled, accepted };
  }

  async close(): Promise<void> {
    await Promise.all([this.near.close({ timeout: 0 }), this.far.close({ timeout: 0 })]);
  }

  #forward(bytes: Uint8Array, from: Port, to: Port): void {
    const { mtu, silent = false } = this.#options;
    if (bytes.length <= mtu) {
      this.largest = Math.max(this.largest, bytes.length);
      return to.send(bytes);
    }
    this.dropped++;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const dontFragment = (view.getUint16(6) & 0x4000) !== 0;
    if (silent || !dontFragment) return;
    from.send(buildIcmp(from.address, view.getInt32(12), 3, 4, mtu, bytes.slice(0, 28)));
  }
}

/** The router's end of a link. */
class Port {
  readonly address: number;
  readonly #link: Link;
  readonly #packet = new Packet(new Slab().take(), 0);

  constructor(link: Link, address: string) {
    this.#link = link;
    this.address = (IpAddress.parse(address) as IpAddress).w3;
  }

  open(clock: VirtualClock, arrives: (bytes: Uint8Array) => void): void {
    const receiver: LinkReceiver = {
      slab: new Slab(),
      addresses: [],
      clock,
      receive: (batch: PacketBatch) => {
        for (let i = 0; i < batch.length; i++) {
          const { chunk, offset, length } = batch.packets[i] as Packet;
          arrives(chunk.bytes.slice(offset, offset + length));
        }
      },
      writable: () => {},
      up: () => {},
      down: () => {},
      closed: () => {},
    };
    this.#link.attach(receiver);
  }

  send(bytes: Uint8Array): void {
    this.#packet.chunk.bytes.set(bytes);
    this.#packet.length = bytes.length;
    this.#link.send({ packets: [this.#packet], length: 1 });
  }
}
