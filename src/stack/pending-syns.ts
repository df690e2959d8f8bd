/**
 * SYNs for which nobody listens and about which a forwarder is asked, before they are answered: what the answer needs is kept, and nothing else. Until it is
 * decided the peer's repetitions are passed over, and its RST takes the question back.
 *
 * `tcp/` knows nothing of this: a SYN that is accepted goes, as it came, to a listener made for this one pair of endpoints.
 */
import type { InboundPacket } from '../ip/inbound.ts';
import { KIND_TIME_WAIT } from '../tcp/control-block.ts';
import { Listener } from '../tcp/listener.ts';
import { type Arrival, listenerArrives } from '../tcp/listener-arrives.ts';
import type { Path } from '../tcp/path.ts';
import { replyReset } from '../tcp/reply.ts';
import type { TcpSettings } from '../tcp/settings.ts';
import type { Timer } from '../time/clock.ts';
import type { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { OK } from '../wire/reasons.ts';
import { ACK, FIN, OPT_SIGNED, parseTcp, RST, SYN, TcpSegment } from '../wire/tcp.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';

/** Why nobody waits for the answer any more. */
export type WithdrawReason = 'reset' | 'expired' | 'closed';

export interface PendingSynsOptions {
  /** SYNs undecided at a time; what comes beyond is dropped. */
  readonly limit: number;
  /** How long a decision may take, ms. */
  readonly timeout: number;
  /** Asked, after the batch; the answer is a call of `accept`, `refuse` or `drop`, now or later. */
  asked(syn: PendingSyn): void;
  /** The question has become void. */
  withdrawn(syn: PendingSyn, reason: WithdrawReason): void;
}

/** A SYN, as compact as its options allow. */
export class PendingSyn {
  readonly local: IpAddress;
  readonly localPort: number;
  readonly remote: IpAddress;
  readonly remotePort: number;
  readonly from: Interface;
  /** When it came, ms of the stack's clock. */
  readonly at: number;
  readonly seq: number;
  /** What our numbers are to begin with, when a TIME-WAIT record was in the way. */
  readonly iss: number | undefined;
  /** The ECN field of its IP header. */
  readonly ecn: number;
  /** Its TCP header, options and all; data of a SYN is left to be sent again. */
  readonly header: Uint8Array;

  constructor(
    arrival: Arrival,
    segment: TcpSegment,
    header: Uint8Array,
    from: Interface,
    iss: number | undefined,
    at: number,
  ) {
    this.local = arrival.local;
    this.localPort = segment.destinationPort;
    this.remote = arrival.remote;
    this.remotePort = segment.sourcePort;
    this.from = from;
    this.iss = iss;
    this.at = at;
    this.seq = segment.seq;
    this.ecn = segment.ecn;
    this.header = header;
  }
}

export class PendingSyns {
  readonly #stack: Stack;
  readonly #options: PendingSynsOptions;
  /** By both endpoints, the oldest first. */
  readonly #pending = new Map<string, PendingSyn>();
  /** What is to be told after the batch; it is a notifier of the stack's for that. */
  #asked: PendingSyn[] = [];
  #withdrawn: (readonly [PendingSyn, WithdrawReason])[] = [];
  readonly #timer: Timer;
  readonly user = this;
  readyMarked = false;

  constructor(stack: Stack, options: PendingSynsOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#timer = stack.clock.timer(() => this.#expire(), true);
  }

  /** SYNs that are undecided. */
  get size(): number {
    return this.#pending.size;
  }

  /** A segment that no connection and no listener waits for. @returns false: nor does anything here */
  arrives(
    from: Interface,
    packet: InboundPacket,
    segment: TcpSegment,
    arrival: Arrival,
    iss: number | undefined,
    now: number,
  ): boolean {
    // Nobody here has keys for it.
    if ((segment.optionBits & OPT_SIGNED) !== 0 && this.#stack.tcp.hasher !== undefined) return false;
    const kind = segment.flags & (SYN | ACK | RST | FIN);
    if (kind !== SYN && (kind & RST) === 0) return false;
    const key = keyOf(arrival.local, segment.destinationPort, arrival.remote, segment.sourcePort);
    const pending = this.#pending.get(key);
    if (kind !== SYN) return pending !== undefined && this.#reset(key, pending, segment, now);
    if (pending?.seq === segment.seq) {
      this.#stack.drop('tcp-syn-undecided', now);
      return true;
    }
    // Another SYN from the same port: its sender has given up what it asked first.
    if (pending !== undefined) this.#withdraw(key, pending, 'reset');
    const header = packet.chunk.bytes.slice(packet.payloadOffset, segment.payloadOffset);
    this.#ask(key, new PendingSyn(arrival, segment, header, from, iss, now), now);
    return true;
  }

  /** For the stack: what came in the batch is told. */
  ready(): void {
    const [asked, withdrawn] = [this.#asked, this.#withdrawn];
    this.#asked = [];
    this.#withdrawn = [];
    for (const syn of asked) if (this.#isPending(syn)) this.#options.asked(syn);
    for (const [syn, reason] of withdrawn) this.#options.withdrawn(syn, reason);
  }

  /**
   * Answers the SYN with a SYN-ACK.
   * @param settings what the connection runs with
   * @returns the listener that the connection comes out of, or that is left without one when the handshake fails; undefined: the SYN is pending no more, was
   *   answered by a listener, or there is no way to answer it
   */
  accept(syn: PendingSyn, settings: TcpSettings): Listener | undefined {
    if (!this.#take(syn)) return undefined;
    const stack = this.#stack;
    const listener = new Listener(stack.tcp, syn.local, syn.localPort, settings, 0);
    listener.single = true;
    listener.fastOpen = undefined;
    const arrival = new LateArrival(stack, syn);
    const chunk = stack.slab.take();
    chunk.bytes.set(syn.header);
    listenerArrives(listener, arrival.segment, chunk, arrival, syn.iss, stack.clock.now());
    chunk.release();
    stack.wake();
    return listener.embryos.size > 0 ? listener : undefined;
  }

  /** Answers the SYN with a RST. */
  refuse(syn: PendingSyn): void {
    if (!this.#take(syn)) return;
    const { segment, replyPath } = new LateArrival(this.#stack, syn);
    replyReset(this.#stack.tcp, replyPath, segment);
    this.#stack.wake();
  }

  /** Leaves the SYN unanswered; one that comes again is asked about again. */
  drop(syn: PendingSyn): void {
    this.#take(syn);
  }

  /** No more questions. */
  close(): void {
    const undecided = [...this.#pending.values()];
    this.#pending.clear();
    this.#timer.clear();
    for (const syn of undecided) this.#options.withdrawn(syn, 'closed');
  }

  #isPending(syn: PendingSyn): boolean {
    return this.#pending.get(keyOf(syn.local, syn.localPort, syn.remote, syn.remotePort)) === syn;
  }

  #take(syn: PendingSyn): boolean {
    if (!this.#isPending(syn)) return false;
    const { local, localPort, remote, remotePort } = syn;
    this.#pending.delete(keyOf(local, localPort, remote, remotePort));
    this.#arm();
    // A listener that came meanwhile may have answered the SYN when it was repeated.
    const entry = this.#stack.demux.get(local, localPort, remote, remotePort);
    return entry === undefined || entry.kind === KIND_TIME_WAIT;
  }

  #ask(key: string, syn: PendingSyn, now: number): void {
    const { tcp } = this.#stack;
    if (this.#pending.size >= this.#options.limit) {
      tcp.counters.TCPReqQFullDrop++;
      tcp.counters.ListenDrops++;
      return this.#stack.drop('tcp-syn-queue-full', now);
    }
    this.#pending.set(key, syn);
    this.#asked.push(syn);
    this.#arm();
    tcp.markReady(this);
  }

  /** RFC 9293 3.10.7.3: the peer is in SYN-SENT, and takes its SYN back with the number behind it. */
  #reset(key: string, syn: PendingSyn, { flags, seq }: TcpSegment, now: number): boolean {
    if ((flags & RST) === 0 || seq !== ((syn.seq + 1) | 0)) this.#stack.drop('tcp-bad-reset', now);
    else this.#withdraw(key, syn, 'reset');
    return true;
  }

  #withdraw(key: string, syn: PendingSyn, reason: WithdrawReason): void {
    this.#pending.delete(key);
    this.#arm();
    this.#withdrawn.push([syn, reason]);
    this.#stack.tcp.markReady(this);
  }

  /** The oldest is first. */
  #arm(): void {
    const [oldest] = this.#pending.values();
    if (oldest === undefined) this.#timer.clear();
    else this.#timer.set(oldest.at + this.#options.timeout);
  }

  #expire(): void {
    const past = this.#stack.clock.now() - this.#options.timeout;
    for (const [key, syn] of this.#pending) {
      if (syn.at > past) break;
      this.#withdraw(key, syn, 'expired');
    }
    this.#arm();
  }
}

/** The SYN as if it came now. */
class LateArrival implements Arrival {
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly replyPath: Path;
  readonly segment = new TcpSegment();
  readonly #header: Uint8Array;

  constructor(stack: Stack, { local, remote, from, header, ecn }: PendingSyn) {
    this.local = local;
    this.remote = remote;
    this.#header = header;
    this.replyPath = stack.network.pathBack(from, local, remote, PROTOCOL_TCP);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    const reason = parseTcp(view, 0, header.length, this.segment);
    if (reason !== OK) throw new Error(`a SYN that was read once cannot be read again: reason ${reason}`);
    this.segment.ecn = ecn;
  }

  /** TCP_SAVED_SYN is not for forwarders. */
  headers(): Uint8Array {
    return this.#header;
  }

  makePath(): Path {
    return this.replyPath;
  }
}

function keyOf(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): string {
  return `${remote} ${remotePort} ${local} ${localPort}`;
}
