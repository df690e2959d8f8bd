/**
 * DCTCP: RFC 8257, as Linux has it. The receiver reports each mark by itself, the sender estimates from that which share of its packets is
 * marked, alpha, and gives up half of that share of its window. For data centres: where it shares a queue with others it starves them.
 */
import type { ControlBlock } from '../control-block.ts';
import { before } from '../sequence.ts';
import { transmitAck } from '../transmit.ts';
import type { CongestionControl } from './congestion.ts';
import { reno } from './reno.ts';

/** Alpha is counted in 1024ths. */
const WHOLE = 1024;

export class Dctcp implements CongestionControl {
  readonly name = 'dctcp';
  readonly needsEcn = true;
  /** RFC 8257 3.3: DCTCP.Alpha in 1024ths; -1: not yet begun. */
  #alpha = -1;
  /** DCTCP.WindowEnd, and the segments delivered since it was set, and those marked. */
  #windowEnd = 0;
  #delivered = 0;
  #marked = 0;
  /** RFC 8257 3.2: DCTCP.CE. */
  #congested = false;
  /** cwnd before it was reduced, segments. */
  #cwndBefore = 0;

  /** RFC 8257 3.5: a loss is answered as by any other TCP. */
  ssthresh(connection: ControlBlock): number {
    this.#cwndBefore = connection.cwnd;
    return reno.ssthresh(connection);
  }

  /** RFC 8257 3.3 (9): cwnd = cwnd * (1 - DCTCP.Alpha / 2). */
  markedSsthresh(connection: ControlBlock): number {
    this.#cwndBefore = connection.cwnd;
    const { cwnd } = connection;
    return Math.max(cwnd - Math.floor((cwnd * this.#alphaOf(connection)) / (2 * WHOLE)), 2);
  }

  acknowledged(connection: ControlBlock, acked: number, now: number): void {
    reno.acknowledged(connection, acked, now);
  }

  undoWindow(connection: ControlBlock): number {
    return Math.max(connection.cwnd, this.#cwndBefore);
  }

  /** RFC 8257 3.3: once a window: M = marked / delivered; Alpha = Alpha * (1 - g) + g * M. */
  delivered(connection: ControlBlock, delivered: number, marked: number): void {
    this.#delivered += delivered;
    this.#marked += marked;
    if (this.#alpha >= 0 && before(connection.sndUna, this.#windowEnd)) return;
    let alpha = this.#alphaOf(connection);
    const shift = connection.context.config.dctcp_shift_g;
    // What is too small to be divided is forgotten whole (Linux), or alpha would never be 0 again.
    alpha -= alpha >> shift || alpha;
    if (this.#marked > 0) {
      const more = Math.floor((this.#marked * WHOLE) / 2 ** shift / Math.max(this.#delivered, 1));
      alpha = Math.min(alpha + more, WHOLE);
    }
    this.#alpha = alpha;
    this.#windowEnd = connection.sndNxt;
    this.#delivered = 0;
    this.#marked = 0;
  }

  /**
   * RFC 8257 3.2: when marks begin or end, what was not acknowledged yet is, as what it was; and what comes now at once. Between, ACKs
   * may be delayed: all that one covers is alike.
   */
  markArrived(connection: ControlBlock, marked: boolean, now: number): void {
    const { ecn } = connection;
    if (ecn === undefined) return;
    if (marked !== this.#congested) {
      // CWR, which comes first, may have ended the echo of what is only acknowledged now.
      ecn.echoing = this.#congested;
      if (connection.lastAckSent !== connection.rcvNxt) transmitAck(connection, now);
      ecn.hurry = true;
      this.#congested = marked;
    }
    ecn.echoing = marked;
  }

  /** struct tcp_dctcp_info: on, and CE before (16 bits each); alpha in 1024ths; bytes marked and delivered in this window. */
  info(connection: ControlBlock | undefined): Uint32Array<ArrayBuffer> {
    if (connection === undefined) return new Uint32Array(4);
    const flags = new Uint32Array(Uint16Array.of(1, Number(this.#congested)).buffer)[0] as number;
    const { sndMss } = connection;
    return Uint32Array.of(flags, this.#alphaOf(connection), this.#marked * sndMss, this.#delivered * sndMss);
  }

  #alphaOf(connection: ControlBlock): number {
    // RFC 8257 4.2: it starts from 1, lest a new connection overruns the queue.
    if (this.#alpha < 0) this.#alpha = Math.min(connection.context.config.dctcp_alpha_on_init, WHOLE);
    return this.#alpha;
  }
}
