/** What the stack has sent and the script has not looked at yet: packets of other connections are passed over. */
import { ScriptFailure } from './errors.ts';
import type { Flow } from './flow.ts';
import { continues, join } from './match.ts';
import type { TcpSpec } from './script.ts';
import { type IcmpPacket, type ReadPacket, readPacket, type Segment } from './segment.ts';
import type { PassedPacket, Target } from './target.ts';

/** A segment of the stack's, and when it was sent (ms since the start). */
export interface Sent {
  readonly at: number;
  readonly segment: Segment;
}

export interface SentMessage {
  readonly at: number;
  readonly message: IcmpPacket;
}

export class SentPackets {
  readonly #target: Target;
  /** The connection under test, as it is now. */
  readonly #flow: () => Flow | undefined;
  /** Throws what a waiting call has failed with. */
  readonly #rethrow: () => void;

  constructor(target: Target, flow: () => Flow | undefined, rethrow: () => void) {
    this.#target = target;
    this.#flow = flow;
    this.#rethrow = rethrow;
  }

  /** The next segment of the connection's, for which time passes until `latest`. */
  next(latest: number): Sent | undefined {
    const next = this.#peek(latest);
    if (next !== undefined) this.#target.sent.shift();
    return next;
  }

  /** The next ICMP message; what TCP sends meanwhile is left for later. */
  nextMessage(latest: number): SentMessage | undefined {
    const { sent } = this.#target;
    const messageAt = () => sent.findIndex(({ bytes }) => this.#read(bytes).kind === 'icmp');
    const came = this.#target.run(latest, () => messageAt() >= 0);
    this.#rethrow();
    if (!came) return undefined;
    const [{ at, bytes }] = sent.splice(messageAt(), 1) as [PassedPacket];
    const read = this.#read(bytes);
    return read.kind === 'icmp' ? { at, message: read.message } : undefined;
  }

  /** The pieces of a burst as the one segment that the script expects. */
  joined(first: Sent, expected: TcpSpec, latest: number): Sent {
    let { at, segment } = first;
    if (segment.length === 0) return first;
    let pieceLength = segment.length;
    while (segment.length < expected.length) {
      const next = this.#peek(latest);
      if (next === undefined || !continues(segment, first.segment.length, pieceLength, next.segment)) break;
      this.#target.sent.shift();
      pieceLength = next.segment.length;
      at = next.at;
      segment = join(segment, next.segment);
    }
    return { at, segment };
  }

  #peek(latest: number): Sent | undefined {
    const { sent } = this.#target;
    for (;;) {
      const came = this.#target.run(latest, () => sent.length > 0);
      this.#rethrow();
      const [packet] = sent;
      if (!came || packet === undefined) return undefined;
      const read = this.#read(packet.bytes);
      if (read.kind === 'tcp' && this.#flow()?.owns(read.ends, read.segment) === true) {
        return { at: packet.at, segment: read.segment };
      }
      // Of another connection, or no TCP at all: unseen.
      sent.shift();
    }
  }

  #read(bytes: Uint8Array): ReadPacket {
    const read = readPacket(bytes);
    if (read.kind === 'broken') throw new ScriptFailure(`the stack sent a broken packet: ${read.reason}`);
    return read;
  }
}
