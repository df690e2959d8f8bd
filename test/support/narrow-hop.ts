/**
 * Two hosts with two routers of ours between them, whose networks take 1500 bytes while the hop in the middle takes less:
 *
 *     10.1.0.1 ── 1500 ── 10.1.0.254 (a) 10.3.0.1 ── hop ── 10.3.0.2 (b) 10.2.0.254 ── 1500 ── 10.2.0.1
 *
 * and the same with 2001:db8:1::1 and so on. What does not fit is dropped; the router says so (RFC 1191 4, RFC 8201), or is kept from it: a black hole.
 */
import { createHost, type Host } from '../../src/host.ts';
import { impaired } from '../../src/link/impaired.ts';
import type { Link } from '../../src/link/link.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { HostOptions, LinkOptions } from '../../src/net/host-options.ts';
import type { RouteOptions } from '../../src/net/route-options.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

/** Of the near host and the far one. */
export const ENDS = {
  4: ['10.1.0.1', '10.2.0.1'],
  6: ['2001:db8:1::1', '2001:db8:2::1'],
} as const;

export interface NarrowOptions {
  /** Of the hop in the middle, bytes. */
  readonly mtu: number;
  /** What the hosts speak. Default: 4. */
  readonly family?: 4 | 6;
  /** Nobody hears what the routers say. Default: false. */
  readonly silent?: boolean;
  /** Super-segments and partial checksums pass on the hosts' links, and on the hop. Default: false, false. */
  readonly offload?: readonly [outer: boolean, hop: boolean];
  readonly sysctl?: HostOptions['sysctl'];
}

export class NarrowHop {
  readonly clock = new VirtualClock();
  readonly near: Host;
  readonly far: Host;
  readonly routers: readonly [a: Host, b: Host];
  /** The largest packet that got through the hop, bytes. */
  largest = 0;
  readonly #far: string;

  constructor({ mtu, family = 4, silent = false, offload = [false, false], sysctl }: NarrowOptions) {
    const { clock } = this;
    const [left, leftOfA] = createPipe({ offload: offload[0], latency: 10 });
    const [right, rightOfB] = createPipe({ offload: offload[0], latency: 10 });
    const [hopOfA, hopOfB] = createPipe({ offload: offload[1], mtu });
    this.#far = family === 4 ? ENDS[4][1] : `[${ENDS[6][1]}]`;
    const host = (link: Link, n: number) =>
      createHost({
        link,
        address: [`10.${n}.0.1/24`, `2001:db8:${n}::1/64`],
        routes: [
          { destination: '0.0.0.0/0', via: `10.${n}.0.254` },
          { destination: '::/0', via: `2001:db8:${n}::254` },
        ],
        clock,
        seed: n,
        sysctl,
      });
    this.near = host(left, 1);
    this.far = host(right, 2);
    const quiet = (link: Link) => (silent ? impaired(link, { out: { rule: noErrors } }) : link);
    const router = (outer: Link, n: number, hop: Link, own: number) => {
      const other = 3 - own;
      const links: LinkOptions[] = [
        { link: quiet(outer), name: 'outer', address: [`10.${n}.0.254/24`, `2001:db8:${n}::254/64`] },
        { link: hop, name: 'hop', address: [`10.3.0.${own}/24`, `2001:db8:3::${own}/64`] },
      ];
      const routes: RouteOptions[] = [
        { destination: `10.${3 - n}.0.0/24`, via: `10.3.0.${other}` },
        { destination: `2001:db8:${3 - n}::/64`, via: `2001:db8:3::${other}` },
      ];
      return createHost({ links, routes, forwarding: true, clock, seed: n + 2 });
    };
    this.routers = [router(leftOfA, 1, this.#watched(hopOfA), 1), router(rightOfB, 2, this.#watched(hopOfB), 2)];
  }

  /** Packets that did not fit. */
  get dropped(): number {
    return this.routers.reduce((sum, { counters }) => sum + counters.FragFails + counters.Ip6FragFails, 0);
  }

  /** A connection from the near host to the far one. */
  async connect() {
    const listener = await this.far.listen('tcp', `${this.#far}:0`);
    const both = Promise.all([this.near.dial('tcp', listener.addr().toString()), listener.accept()]);
    const [dialled, accepted] = await this.clock.run({ until: both });
    listener.close();
    return { dialled, accepted };
  }

  async close(): Promise<void> {
    await Promise.all([this.near, this.far, ...this.routers].map((host) => host.close({ timeout: 0 })));
  }

  #watched(link: Link): Link {
    const send = link.send.bind(link);
    link.send = (batch) => {
      for (const packet of batch.packets.slice(0, batch.length)) {
        const { segmentSize, transportOffset } = packet;
        const { bytes } = packet.chunk;
        const tcp = ((bytes[packet.offset + transportOffset + 12] as number) >> 4) * 4;
        const size = segmentSize > 0 ? transportOffset + tcp + segmentSize : packet.totalLength();
        this.largest = Math.max(this.largest, size);
      }
      return send(batch);
    };
    return link;
  }
}

/** ICMP errors are lost. */
function noErrors(packet: Uint8Array): 'pass' | 'drop' {
  const four = (packet[0] as number) >> 4 === 4;
  const protocol = packet[four ? 9 : 6];
  return protocol === (four ? 1 : 58) ? 'drop' : 'pass';
}
