/**
 * Dynamic right-sizing: the receive buffer grows with what the user reads in a round trip, so that the window never holds the sender back
 * (W. Feng and others, "Dynamic Right-Sizing: A Simulation Study"; Linux's tcp_moderate_rcvbuf). Made with the first data.
 */
import type { ControlBlock } from './control-block.ts';
import { ReceiveMemory, spaceFromWindow, windowFromSpace } from './receive-memory.ts';
import { before, distance } from './sequence.ts';
import { RECEIVE_BUFFER_LOCK } from './settings.ts';
import { timestampNow } from './transmit.ts';

/** Segments that the first round trip may bring. */
const FIRST_SEGMENTS = 10;

/** Bytes that the user may read in the first round trip. */
export function firstSpace({ rcvSsthresh, rcvMss }: ControlBlock): number {
  return Math.min(rcvSsthresh, FIRST_SEGMENTS * rcvMss);
}

/** What a receiver knows of its round trip and of its reader. */
export class ReceiveSpace {
  readonly memory: ReceiveMemory;
  /** Most bytes that the user read in a round trip. */
  space: number;
  /** Where the user was, and when, ms, as this round trip began. */
  #copied: number;
  #since: number;
  /** Eight times the round trip, microseconds; 0: not known. */
  #rtt8 = 0;
  /** A window's worth of data from when it was noted, ms, takes a round trip at most. */
  #windowEnd: number;
  #windowSince: number;
  #lastEcho = 0;

  constructor(connection: ControlBlock, now: number) {
    this.memory = new ReceiveMemory(connection.receiveQueue.length, connection.path.headerLength);
    this.space = firstSpace(connection);
    this.#copied = copiedSeq(connection);
    this.#since = now;
    this.#windowEnd = connection.rcvAdv;
    this.#windowSince = now;
  }

  /** Microseconds; 0: not known yet. */
  get roundTrip(): number {
    return Math.round(this.#rtt8 / 8);
  }

  /** Data has arrived: without timestamps a round trip is the time that a window takes to fill, or less. */
  measureWindow(connection: ControlBlock, now: number): void {
    if (before(connection.rcvNxt, this.#windowEnd)) return;
    this.#sample(connection, Math.max((now - this.#windowSince) * 1000, 1), true);
    this.#windowEnd = connection.rcvAdv;
    this.#windowSince = now;
  }

  /** RFC 7323 4: a full segment that echoes a timestamp of ours for the first time came a round trip after it. */
  measureEcho(connection: ControlBlock, echo: number, now: number): void {
    if (echo === this.#lastEcho) return;
    this.#lastEcho = echo;
    const elapsed = distance(echo, timestampNow(connection, now));
    if (elapsed > 0) this.#sample(connection, elapsed * 1000, false);
  }

  /** The user has read. */
  adjust(connection: ControlBlock, now: number): void {
    if (this.#rtt8 === 0 || (now - this.#since) * 8000 < this.#rtt8) return;
    const at = copiedSeq(connection);
    // What still waits was not read fast enough to ask for more.
    const copied = distance(this.#copied, at) - connection.receiveQueue.length;
    if (copied > this.space) this.#grow(connection, copied);
    this.#copied = at;
    this.#since = now;
  }

  /** Data has come out of order: a user that has the socket will want to read what fills the hole and what lies behind it. */
  reordered(connection: ControlBlock): void {
    this.#grow(connection, this.space);
  }

  /** @param onlyLess a sample that is an upper bound */
  #sample(connection: ControlBlock, sample: number, onlyLess: boolean): void {
    if (this.#rtt8 === 0 || sample * 8 < this.#rtt8) {
      this.#rtt8 = sample * 8;
    } else if (!onlyLess && connection.receiveQueue.length === 0) {
      this.#rtt8 += sample - this.#rtt8 / 8;
    }
  }

  /** Room for two round trips, as this is always one late, and for slow start, which doubles what comes. */
  #grow(connection: ControlBlock, copied: number): void {
    const { settings, context, reassembly } = connection;
    const old = this.space;
    this.space = copied;
    if (!context.config.tcp_moderate_rcvbuf || (settings.bufferLocks & RECEIVE_BUFFER_LOCK) !== 0) return;
    let window = 2 * copied;
    window += 2 * Math.floor((window * (copied - old)) / old);
    if (reassembly !== undefined && !reassembly.empty) window += distance(connection.rcvNxt, reassembly.end);
    const rcvBuf = Math.min(spaceFromWindow(connection, window), context.config.tcp_rmem[2]);
    if (rcvBuf <= settings.rcvBuf) return;
    settings.rcvBuf = rcvBuf;
    settings.windowClamp = windowFromSpace(connection, rcvBuf);
  }
}

/** The sequence number of the next byte that the user reads. */
export function copiedSeq(connection: ControlBlock): number {
  return (connection.rcvNxt - (connection.finReceived ? 1 : 0) - connection.receiveQueue.length) | 0;
}
