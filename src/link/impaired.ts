/**
 * A link around a link that treats packets as a bad network does: loss, duplication, reordering, corruption, delay, a
 * rate with a queue, and rules of one's own, in each direction, from a seed.
 */

import { checkNames } from '../arguments.ts';
import { seededRandom } from '../time/random.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { LinkClosedError } from './closed-error.ts';
import { guarded } from './guarded.ts';
import {
  type CompleteImpairment,
  completeImpairment,
  type Direction,
  type ImpairedOptions,
} from './impaired-options.ts';
import { ImpairedPath, type PathStatistics } from './impaired-path.ts';
import type { Link, LinkCapabilities, LinkReceiver } from './link.ts';
import type { PacketBatch } from './packet.ts';

export type { BurstLoss, Direction, ImpairedOptions, Impairment, Reorder, Rule, RuleInfo } from './impaired-options.ts';
export type { PathStatistics } from './impaired-path.ts';

export interface ImpairedLink extends Link {
  /** What became of the packets so far. */
  readonly statistics: Readonly<Record<Direction, Readonly<PathStatistics>>>;
}

/**
 * Puts a bad network around a link. Before anything else, super-segments are cut into the segments of the wire and checksums are
 * completed, in both directions: so one loss takes one segment, and a flipped bit is found.
 * @throws RangeError naming the option that is out of range
 */
export function impaired(link: Link, options: ImpairedOptions = {}): ImpairedLink {
  return new Impaired(link, options);
}

const NOTHING: PathStatistics = Object.freeze({
  packets: 0,
  delivered: 0,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  corrupted: 0,
  queueDropped: 0,
  marked: 0,
  ruled: 0,
});

class Impaired implements ImpairedLink {
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  readonly #link: Link;
  readonly #seed: number | string;
  readonly #inward: CompleteImpairment;
  readonly #outward: CompleteImpairment;
  #in: ImpairedPath | undefined;
  #out: ImpairedPath | undefined;
  /** A send took nothing because the link beneath was full: the host waits to be told. */
  #short = false;
  #closed = false;

  constructor(link: Link, options: ImpairedOptions) {
    checkNames('impaired', options, ['seed', 'both', 'in', 'out'] satisfies (keyof ImpairedOptions)[]);
    const { seed = 1, both } = options;
    this.#link = link;
    this.name = `impaired(${link.name})`;
    // What goes down is cut here, so anything may come from above.
    this.capabilities = { mtu: link.capabilities.mtu, checksumOffload: true, segmentationOffload: 65_535 };
    this.#inward = completeImpairment({ ...both, ...options.in });
    this.#outward = completeImpairment({ ...both, ...options.out });
    seededRandom(seed);
    this.#seed = seed;
  }

  get statistics(): Readonly<Record<Direction, PathStatistics>> {
    return { in: this.#in?.statistics ?? NOTHING, out: this.#out?.statistics ?? NOTHING };
  }

  get medium(): 'ethernet' | undefined {
    return this.#link.medium;
  }

  get hardwareAddress(): Uint8Array | undefined {
    return this.#link.hardwareAddress;
  }

  attach(receiver: LinkReceiver): void {
    const { slab, clock } = receiver;
    // Each direction has a stream of its own: what happens in one does not change the other's fate.
    const random = (direction: Direction) => seededRandom(`${this.#seed} ${direction}`);
    const up = (batch: PacketBatch) => {
      const { length } = batch;
      receiver.receive(batch);
      return length;
    };
    const closed = (reason: Error | undefined) => {
      this.#discard();
      receiver.closed(reason);
    };
    const down = guarded(this.#link, clock, closed);
    const before = this.medium === 'ethernet' ? ETHERNET_HEADER_LENGTH : 0;
    const inward = new ImpairedPath(this.#inward, 'in', random('in'), slab, clock, up, before);
    const outward = new ImpairedPath(this.#outward, 'out', random('out'), slab, clock, down, before);
    this.#link.attach({
      slab,
      clock,
      get addresses() {
        return receiver.addresses;
      },
      get isRouter() {
        return receiver.isRouter === true;
      },
      receive: (batch) => {
        if (!this.#closed) inward.take(batch);
      },
      writable: () => this.#writable(receiver, outward),
      up: () => receiver.up(),
      down: () => receiver.down(),
      conflict: (conflict) => receiver.conflict?.(conflict),
      undeliverable: (batch) => receiver.undeliverable?.(batch),
      closed,
    });
    this.#in = inward;
    this.#out = outward;
  }

  /** @see Link.send; takes nothing while packets under way wait for the link beneath. */
  send(batch: PacketBatch): number {
    if (this.#closed) throw new LinkClosedError(this.name);
    if (this.#out === undefined) throw new Error(`${this.name} is not attached: nothing can be sent on it yet`);
    if (this.#out.stalled) {
      this.#short = true;
      return 0;
    }
    this.#out.take(batch);
    return batch.length;
  }

  close(): void {
    this.#discard();
    this.#link.close();
  }

  #writable(receiver: LinkReceiver, outward: ImpairedPath): void {
    outward.resume();
    if (outward.stalled || !this.#short || this.#closed) return;
    this.#short = false;
    receiver.writable();
  }

  #discard(): void {
    this.#closed = true;
    this.#in?.discard();
    this.#out?.discard();
  }
}
