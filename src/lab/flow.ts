/** One TCP connection as its packets show it: the packets for a ladder, bytes each way, and whether it has ended. */
import { ACK, FIN, RST, SYN, type TcpSegment } from '../wire/tcp.ts';
import type { LadderPacket } from './ladder.ts';

/** `open` from the end of the handshake on, `closed` when both FINs are acknowledged or one side gave up. */
export type FlowState = 'opening' | 'open' | 'closed';

/** What one side has sent. Sequence numbers are int32. */
class Half {
  /** The sequence number after its last byte, once it was heard of. */
  #next: number | undefined;
  /** Bytes of the stream, retransmissions not counted again. */
  bytes = 0;
  #finEnd: number | undefined;
  synAcknowledged = false;
  finAcknowledged = false;

  sent(segment: TcpSegment): void {
    const { flags, seq, payloadLength } = segment;
    const takes = payloadLength + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
    const end = (seq + takes) | 0;
    this.#next ??= (seq + (flags & SYN ? 1 : 0)) | 0;
    if ((flags & FIN) !== 0) this.#finEnd = end;
    const ahead = (end - this.#next) | 0;
    if (ahead <= 0) return;
    this.bytes += ahead - ((flags & FIN) !== 0 ? 1 : 0);
    this.#next = end;
  }

  acknowledged(ack: number): void {
    if (this.#next === undefined) return;
    this.synAcknowledged = true;
    if (this.#finEnd !== undefined && ((ack - this.#finEnd) | 0) >= 0) this.finAcknowledged = true;
  }
}

export class Flow {
  /** Our end and the other, `10.9.0.2:80`. */
  readonly local: string;
  readonly remote: string;
  readonly localPort: number;
  readonly remotePort: number;
  /** Our side sent the first packet. */
  readonly dialled: boolean;
  /** When the first packet was seen, ms of the wall clock; and the last. */
  readonly since: number;
  until: number;
  /** The first packets, as many as the recorder had room for. */
  readonly packets: LadderPacket[] = [];
  /** Their bytes. */
  keptBytes = 0;
  /** Packets that came after those. */
  unkept = 0;
  state: FlowState = 'opening';
  /** The handshake was done, whatever came then. */
  wasOpen = false;
  /** Why it is closed, when not by both sides' FIN. */
  reason: string | undefined;
  /** Settles when the state is `closed`. */
  readonly closed: Promise<void>;
  readonly #resolve: () => void;
  readonly #in = new Half();
  readonly #out = new Half();

  constructor(local: readonly [string, number], remote: readonly [string, number], dialled: boolean, at: number) {
    [this.localPort, this.remotePort] = [local[1], remote[1]];
    this.local = local.join(':');
    this.remote = remote.join(':');
    this.dialled = dialled;
    this.since = at;
    this.until = at;
    const { promise, resolve } = withResolvers();
    this.closed = promise;
    this.#resolve = resolve;
  }

  /** Bytes of the peer's stream, and of ours. */
  get bytesIn(): number {
    return this.#in.bytes;
  }

  get bytesOut(): number {
    return this.#out.bytes;
  }

  /** Notes a segment. @returns the state that it brought about, when that is a new one */
  saw(segment: TcpSegment, direction: 'in' | 'out', at: number): FlowState | undefined {
    this.until = at;
    const [sender, receiver] = direction === 'in' ? [this.#in, this.#out] : [this.#out, this.#in];
    if ((segment.flags & RST) !== 0) return this.end(`reset by ${direction === 'in' ? 'the peer' : 'us'}`);
    sender.sent(segment);
    if ((segment.flags & ACK) !== 0) receiver.acknowledged(segment.ack);
    if (this.#in.finAcknowledged && this.#out.finAcknowledged) return this.end(undefined);
    const handshakeDone = this.#in.synAcknowledged && this.#out.synAcknowledged;
    if (this.state !== 'opening' || !handshakeDone) return undefined;
    this.state = 'open';
    this.wasOpen = true;
    return 'open';
  }

  /** It is over. @returns `closed`, unless it was over before */
  end(reason: string | undefined): 'closed' | undefined {
    if (this.state === 'closed') return undefined;
    this.state = 'closed';
    this.reason = reason;
    this.#resolve();
    return 'closed';
  }
}

/** Promise.withResolvers, which Node.js 20 has not. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
