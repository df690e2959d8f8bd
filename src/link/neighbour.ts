/** One neighbour: who answers at an address on this link, and how sure that is. RFC 4861 7.3.2, and the same for ARP, as Linux has it. */
import { PacketQueue } from './packet-queue.ts';

/** RFC 4861 7.3.2; FAILED is Linux's: nobody answered, and nothing waits. */
export const NEIGHBOUR_INCOMPLETE = 0;
export const NEIGHBOUR_REACHABLE = 1;
export const NEIGHBOUR_STALE = 2;
export const NEIGHBOUR_DELAY = 3;
export const NEIGHBOUR_PROBE = 4;
export const NEIGHBOUR_FAILED = 5;

/** As `ip neigh` prints them. */
export const NEIGHBOUR_STATES = ['INCOMPLETE', 'REACHABLE', 'STALE', 'DELAY', 'PROBE', 'FAILED'] as const;

/** The two kinds of deadline: one that somebody waits for, and one that nobody does. */
export const WAITING = 0;
export const QUIET = 1;

export class Neighbour {
  /** The address, as it is on the wire (without a zone); IPv4 as the words of IpAddress. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** Its key in the table, and the next one with the same. */
  readonly hash: number;
  next: Neighbour | undefined;
  state: number = NEIGHBOUR_FAILED;
  /** Its hardware address; meant unless INCOMPLETE or FAILED. */
  high = 0;
  low = 0;
  /** It says that it is a router (IPv6). */
  isRouter = false;
  /** When its answer last showed that it is there, when a packet last went to it, when the entry was last changed; ms. -Infinity: never. */
  confirmed = -Infinity;
  used = -Infinity;
  updated: number;
  /** Solicitations since the state was entered. */
  probes = 0;
  /** The source of the packet that made us ask; a solicitation is to come from there. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  /** Packets that wait for its hardware address. */
  queue: PacketQueue | undefined;
  /** It was taken out of its table. */
  dead = false;
  /** Its row of deadlines, and in which table of the two; -1: it has none. */
  row = -1;
  rowKind = WAITING;

  constructor(w0: number, w1: number, w2: number, w3: number, hash: number, now: number) {
    this.w0 = w0;
    this.w1 = w1;
    this.w2 = w2;
    this.w3 = w3;
    this.hash = hash;
    this.updated = now;
  }

  is(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.w3 === w3 && this.w2 === w2 && this.w1 === w1 && this.w0 === w0;
  }

  /** There is a hardware address to send to. */
  get isValid(): boolean {
    return this.state !== NEIGHBOUR_INCOMPLETE && this.state !== NEIGHBOUR_FAILED;
  }

  /** The queue, made on first use. */
  get waiting(): PacketQueue {
    this.queue ??= new PacketQueue();
    return this.queue;
  }
}
