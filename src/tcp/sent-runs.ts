/**
 * What is out and not acknowledged: runs of pieces in order of sequence number, and the scoreboard over them.
 *
 * A run is what one call of output sent at one time: pieces of `size` bytes, the last perhaps shorter. The marks (SACKed, lost, sent
 * again) belong to a whole run; a mark that meets only a part splits the run at a piece boundary. Counts are in pieces, which are the segments
 * that RFC 5681's windows count here, as on Linux.
 */
import { after, afterOrAt, before, beforeOrAt, distance } from './sequence.ts';

/** The peer has it, says SACK. */
export const SACKED = 1;
/** It is taken for lost. */
export const LOST = 2;
/** It was sent again since it was taken for lost. */
export const RETRANSMITTED = 4;
/** It was sent more than once at some time: no RTT sample (Karn). */
export const SENT_AGAIN = 8;

export class SentRun {
  seq = 0;
  end = 0;
  /** Bytes of each piece but the last. */
  size = 1;
  /** 1 when the last sequence number of the run is our FIN. */
  fin = 0;
  /** SACKED, LOST, RETRANSMITTED, SENT_AGAIN. */
  marks = 0;
  /** When it was sent last, ms. */
  sentAt = 0;
  next: SentRun | undefined;
  previous: SentRun | undefined;

  /** How many segments it went out as. */
  pieces(): number {
    const bytes = distance(this.seq, this.end) - this.fin;
    return bytes <= this.size ? 1 : Math.ceil(bytes / this.size);
  }
}

/** Runs that nobody uses: a connection at work takes and gives one per flush. */
const spare: SentRun[] = [];
const SPARE_LIMIT = 4096;

function takeRun(): SentRun {
  return spare.pop() ?? new SentRun();
}

function giveRun(run: SentRun): void {
  run.next = undefined;
  run.previous = undefined;
  run.marks = 0;
  run.fin = 0;
  if (spare.length < SPARE_LIMIT) spare.push(run);
}

export class SentRuns {
  first: SentRun | undefined;
  last: SentRun | undefined;
  /** Pieces out: sent and not acknowledged cumulatively. */
  packetsOut = 0;
  /** Of those, pieces SACKed (or, without SACK, presumed received for each duplicate acknowledgment). */
  sackedOut = 0;
  /** Of those, pieces taken for lost. */
  lostOut = 0;
  /** Of the lost, pieces sent again. */
  retransOut = 0;
  /** End of the highest SACKed run; meant while something is SACKed. */
  highestSacked = 0;

  /** What the last `acknowledge` or `sack` found: pieces newly acknowledged. */
  newlyAcked = 0;
  /** When the oldest of them that was sent only once was sent, ms; -1: none. */
  oldestSentAt = -1;
  /** Among what was acknowledged was something sent more than once. */
  ackedRetransmission = false;
  /** Of them, what was sent last, when it was sent and where it ends, but for retransmissions that may not be meant; -1: none. */
  newestSentAt = -1;
  newestEnd = 0;
  /** Something sent only once was acknowledged behind something that had been before. */
  reordered = false;
  /** Retransmissions sent after this, ms, may not be what is acknowledged. */
  #believableUntil = Infinity;
  /** RFC 8985's RACK.fack, the highest end acknowledged or SACKed, now and before this acknowledgment, and whether there is one. */
  #forward = 0;
  #hasForward = false;
  #forwardBefore = 0;
  #hasForwardBefore = false;

  /** Pieces in the network, as far as we know (RFC 6675's pipe). */
  inFlight(): number {
    return this.packetsOut - this.sackedOut - this.lostOut + this.retransOut;
  }

  /** Notes `[seq, end)` as sent now, in pieces of `size`; joins it to the run before when they are alike. */
  push(seq: number, end: number, size: number, fin: number, now: number): void {
    const tail = this.last;
    if (
      tail !== undefined &&
      tail.sentAt === now &&
      tail.marks === 0 &&
      tail.fin === 0 &&
      tail.size === size &&
      tail.end === seq &&
      distance(tail.seq, tail.end) % size === 0 &&
      distance(seq, end) > fin
    ) {
      const before = tail.pieces();
      tail.end = end;
      tail.fin = fin;
      this.packetsOut += tail.pieces() - before;
      return;
    }
    const run = takeRun();
    run.seq = seq;
    run.end = end;
    run.size = size;
    run.fin = fin;
    run.sentAt = now;
    run.previous = tail;
    if (tail === undefined) this.first = run;
    else tail.next = run;
    this.last = run;
    this.packetsOut += run.pieces();
  }

  /** The cumulative acknowledgment moved to `ack`: forgets what is before it. Starts the sample that `newlyAcked` and its like describe. */
  acknowledge(ack: number, believableUntil = Infinity): void {
    this.newlyAcked = 0;
    this.oldestSentAt = -1;
    this.ackedRetransmission = false;
    this.newestSentAt = -1;
    this.reordered = false;
    this.#believableUntil = believableUntil;
    this.#forwardBefore = this.#forward;
    this.#hasForwardBefore = this.#hasForward;
    for (let run = this.first; run !== undefined && before(run.seq, ack); run = this.first) {
      const pieces = run.pieces();
      if (after(run.end, ack)) {
        if (distance(run.seq, ack) < run.size) {
          // Less than a piece: the rest still counts as that piece, and those behind it keep their boundaries.
          if (pieces > 1) this.#split(run, (run.seq + run.size) | 0);
          run.seq = ack;
          break;
        }
        this.#split(run, (run.seq + Math.floor(distance(run.seq, ack) / run.size) * run.size) | 0);
        continue;
      }
      this.#sample(run, pieces);
      this.#count(run.marks, -pieces);
      this.#unlink(run);
    }
  }

  /**
   * Marks whole pieces inside `[left, right)` as SACKed, adding to the sample that `acknowledge` started.
   * @returns pieces newly marked
   */
  sack(left: number, right: number): number {
    let marked = 0;
    for (let run = this.first; run !== undefined && before(run.seq, right); run = run.next) {
      if (beforeOrAt(run.end, left) || (run.marks & SACKED) !== 0) continue;
      let target: SentRun | undefined = run;
      if (before(run.seq, left)) {
        // The first piece boundary at or after the left edge.
        const at = (run.seq + Math.ceil(distance(run.seq, left) / run.size) * run.size) | 0;
        if (afterOrAt(at, run.end)) continue;
        target = this.#split(run, at);
      }
      if (after(target.end, right)) {
        const at = (target.seq + Math.floor(distance(target.seq, right) / target.size) * target.size) | 0;
        if (beforeOrAt(at, target.seq)) continue;
        this.#split(target, at);
      }
      const pieces = target.pieces();
      this.#sample(target, pieces);
      this.#unmark(target, pieces);
      target.marks |= SACKED;
      this.sackedOut += pieces;
      if (marked === 0 && this.sackedOut === pieces) this.highestSacked = target.end;
      else if (after(target.end, this.highestSacked)) this.highestSacked = target.end;
      marked += pieces;
      run = target;
    }
    return marked;
  }

  /** Takes a run for lost. */
  markLost(run: SentRun): void {
    if ((run.marks & (LOST | SACKED)) !== 0) return;
    run.marks |= LOST;
    this.lostOut += run.pieces();
  }

  /** Takes a run for lost, the retransmission too if there was one. */
  markLostAgain(run: SentRun): void {
    if ((run.marks & RETRANSMITTED) !== 0) {
      run.marks &= ~RETRANSMITTED;
      this.retransOut -= run.pieces();
    }
    this.markLost(run);
  }

  /** Takes everything that is not SACKed for lost and not sent again (RFC 6298 5.4, RFC 6675 5.1). */
  markAllLost(): void {
    for (let run = this.first; run !== undefined; run = run.next) {
      if ((run.marks & SACKED) === 0) this.markLostAgain(run);
    }
  }

  /** RFC 2018 8: the receiver may drop what it SACKed; then the marks must go. */
  forgetSacks(): void {
    for (let run = this.first; run !== undefined; run = run.next) run.marks &= ~SACKED;
    this.sackedOut = 0;
  }

  /** Notes that a lost run was sent again. */
  markRetransmitted(run: SentRun, now: number): void {
    if ((run.marks & RETRANSMITTED) === 0) this.retransOut += run.pieces();
    run.marks |= RETRANSMITTED | SENT_AGAIN;
    run.sentAt = now;
  }

  /** The first run that is lost and was not sent again. */
  nextLost(): SentRun | undefined {
    if (this.lostOut <= this.retransOut) return undefined;
    for (let run = this.first; run !== undefined; run = run.next) {
      if ((run.marks & (LOST | RETRANSMITTED | SACKED)) === LOST) return run;
    }
    return undefined;
  }

  /** Cuts the run behind its first `count` pieces, when it has more. */
  cutBehind(run: SentRun, count: number): void {
    if (run.pieces() > count) this.#split(run, (run.seq + count * run.size) | 0);
  }

  /**
   * Cuts the pieces of a run anew, to `size` bytes each: the path or the peer wants smaller segments.
   */
  resize(run: SentRun, size: number): void {
    if (run.size === size) return;
    const old = run.pieces();
    run.size = size;
    this.#count(run.marks, run.pieces() - old);
  }

  clear(): void {
    for (let run = this.first; run !== undefined; ) {
      const next: SentRun | undefined = run.next;
      giveRun(run);
      run = next;
    }
    this.first = undefined;
    this.last = undefined;
    this.packetsOut = 0;
    this.sackedOut = 0;
    this.lostOut = 0;
    this.retransOut = 0;
  }

  #sample(run: SentRun, pieces: number): void {
    if ((run.marks & SACKED) !== 0) return;
    const again = (run.marks & SENT_AGAIN) !== 0;
    this.newlyAcked += pieces;
    if (again) this.ackedRetransmission = true;
    else if (this.oldestSentAt < 0 || run.sentAt < this.oldestSentAt) this.oldestSentAt = run.sentAt;
    this.#noteDelivery(run, again);
  }

  #noteDelivery(run: SentRun, again: boolean): void {
    // Of what one acknowledgment reports, nothing came before the other.
    if (!again && this.#hasForwardBefore && before(run.end, this.#forwardBefore)) this.reordered = true;
    if (!this.#hasForward || after(run.end, this.#forward)) this.#forward = run.end;
    this.#hasForward = true;
    if (again && run.sentAt > this.#believableUntil) return;
    const newer =
      run.sentAt > this.newestSentAt || (run.sentAt === this.newestSentAt && after(run.end, this.newestEnd));
    if (!newer) return;
    this.newestSentAt = run.sentAt;
    this.newestEnd = run.end;
  }

  /** `pieces` more (less, when negative) with these marks. */
  #count(marks: number, pieces: number): void {
    this.packetsOut += pieces;
    if ((marks & SACKED) !== 0) this.sackedOut += pieces;
    if ((marks & LOST) !== 0) this.lostOut += pieces;
    if ((marks & RETRANSMITTED) !== 0) this.retransOut += pieces;
  }

  #unmark(run: SentRun, pieces: number): void {
    if ((run.marks & LOST) !== 0) this.lostOut -= pieces;
    if ((run.marks & RETRANSMITTED) !== 0) this.retransOut -= pieces;
    run.marks &= ~(LOST | RETRANSMITTED);
  }

  /** Splits at a piece boundary, or between the last data and the FIN, which is one more piece then; returns the second half. */
  #split(run: SentRun, at: number): SentRun {
    const before = run.pieces();
    const second = takeRun();
    second.seq = at;
    second.end = run.end;
    second.size = run.size;
    second.fin = run.fin;
    second.marks = run.marks;
    second.sentAt = run.sentAt;
    second.previous = run;
    second.next = run.next;
    if (run.next === undefined) this.last = second;
    else run.next.previous = second;
    run.next = second;
    run.end = at;
    run.fin = 0;
    this.#count(run.marks, run.pieces() + second.pieces() - before);
    return second;
  }

  #unlink(run: SentRun): void {
    if (run.previous === undefined) this.first = run.next;
    else run.previous.next = run.next;
    if (run.next === undefined) this.last = run.previous;
    else run.next.previous = run.previous;
    giveRun(run);
  }
}
