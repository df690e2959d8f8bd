/**
 * What is out and not acknowledged: runs of pieces in order of sequence number, and the scoreboard over them.
 *
 * A run is what one call of output sent at one time: pieces of `size` bytes, the last perhaps shorter. The marks (SACKed, lost, sent
 * again) belong to a whole run; a mark that meets only a part splits the run at a piece boundary. Counts are in pieces, which are the segments
 * that RFC 5681's windows count here, as on Linux.
 */
import type { AckNews } from './ack-news.ts';
import { noteDelivered } from './rate-sample.ts';
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
  /** As it was then, for the rate sample (rate-sample.ts): what had been delivered, and when (ms; -1: not noted), since when it had been under way ... */
  delivered = 0;
  deliveredAt = -1;
  firstSentAt = 0;
  /** ... what had been taken for lost, what was in flight with it, pieces, and whether the application was holding back. */
  lost = 0;
  inFlightAtSend = 0;
  appLimited = false;
  next: SentRun | undefined;
  previous: SentRun | undefined;

  /** It went out more than once. */
  get sentAgain(): boolean {
    return (this.marks & SENT_AGAIN) !== 0;
  }

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
  run.deliveredAt = -1;
  if (spare.length < SPARE_LIMIT) spare.push(run);
}

/** The run is acknowledged cumulatively. @param behind something sent later had been SACKed before */
function noteAcked(news: AckNews, run: SentRun, pieces: number, behind: boolean): void {
  const again = (run.marks & SENT_AGAIN) !== 0;
  const reported = (run.marks & SACKED) !== 0;
  if (again) {
    news.ackedAgain = true;
  } else if (!reported) {
    if (news.ackedFirstAt < 0) news.ackedFirstAt = run.sentAt;
    news.ackedLastAt = run.sentAt;
    noteOriginal(news, run, behind);
  }
  if (!reported && noteDelivery(news, run, pieces, again)) news.lastAckedAt = run.sentAt;
}

/** The run is SACKed for the first time. */
function noteSacked(news: AckNews, run: SentRun, pieces: number, behind: boolean): void {
  const again = (run.marks & SENT_AGAIN) !== 0;
  if (!again) {
    if (news.sackedFirstAt < 0) news.sackedFirstAt = run.sentAt;
    news.sackedLastAt = run.sentAt;
    noteOriginal(news, run, behind);
  }
  if (!noteDelivery(news, run, pieces, again)) return;
  if (news.lastSackedAt >= 0 && before(run.seq, news.lastSackedSeq)) return;
  news.lastSackedAt = run.sentAt;
  news.lastSackedSeq = run.seq;
}

function noteOriginal(news: AckNews, run: SentRun, behind: boolean): void {
  if (!after(run.end, news.highSeq)) news.originalDelivered = true;
  if (!behind || (news.reordered && !before(run.seq, news.reorderedSeq))) return;
  news.reordered = true;
  news.reorderedSeq = run.seq;
}

/** @returns whether it says when something was delivered: what was sent again, too lately, may not be meant */
function noteDelivery(news: AckNews, run: SentRun, pieces: number, again: boolean): boolean {
  news.newlyAcked += pieces;
  news.deliveredBytes += distance(run.seq, run.end) - run.fin;
  noteDelivered(news.rate, run);
  if (again && run.sentAt > news.believableUntil) return false;
  const newer = run.sentAt > news.newestSentAt || (run.sentAt === news.newestSentAt && after(run.end, news.newestEnd));
  if (!newer) return true;
  news.newestSentAt = run.sentAt;
  news.newestEnd = run.end;
  return true;
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
  /** Of those out, pieces sent again; and of these, those that were not, or are no more, taken for lost. */
  retransOut = 0;
  sparedOut = 0;
  /** End of the highest SACKed run; meant while something is SACKed. */
  highestSacked = 0;

  /** Pieces taken for lost since the beginning, retransmissions among them. */
  lostTotal = 0;
  /** Is told of each run that is taken for lost, with its pieces: for a congestion control that judges them one by one. */
  onLost: ((run: SentRun, pieces: number) => void) | undefined;
  /** Pieces acknowledged or SACKed since the beginning: those that `newlyAcked` counts, and what duplicates report (Linux's delivered). */
  delivered = 0;

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

  /** The cumulative acknowledgment moved to `ack`: forgets what is before it, and notes what that was. */
  acknowledge(ack: number, news: AckNews): void {
    const { sackedOut, highestSacked } = this;
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
      noteAcked(news, run, pieces, sackedOut > 0 && before(run.seq, highestSacked));
      this.#count(run.marks, -pieces);
      this.#unlink(run);
    }
  }

  /**
   * Marks whole pieces inside `[left, right)` as SACKed, and notes what they were.
   * @returns pieces newly marked
   */
  sack(left: number, right: number, news: AckNews): number {
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
      noteSacked(news, target, pieces, this.sackedOut > 0 && before(target.seq, this.highestSacked));
      this.#noLongerLost(target, pieces);
      target.marks |= SACKED;
      this.sackedOut += pieces;
      if (marked === 0 && this.sackedOut === pieces) this.highestSacked = target.end;
      else if (after(target.end, this.highestSacked)) this.highestSacked = target.end;
      marked += pieces;
      run = target;
    }
    return marked;
  }

  /** Takes a run for lost, its retransmission too if there was one. */
  markLost(run: SentRun): void {
    const pieces = run.pieces();
    if ((run.marks & SACKED) !== 0) return;
    if ((run.marks & RETRANSMITTED) !== 0) {
      run.marks &= ~RETRANSMITTED;
      this.retransOut -= pieces;
      if ((run.marks & LOST) !== 0) this.#lose(run, pieces);
      else this.sparedOut -= pieces;
    }
    if ((run.marks & LOST) !== 0) return;
    run.marks |= LOST;
    this.lostOut += pieces;
    this.#lose(run, pieces);
  }

  /** Takes nothing for lost any more (what was sent again is still under way). */
  unmarkLost(): void {
    for (let run = this.first; run !== undefined; run = run.next) run.marks &= ~LOST;
    this.lostOut = 0;
    this.sparedOut = this.retransOut;
  }

  /** How many pieces of what was sent again lie in `[left, right)` and end behind `marker`. */
  sentAgainWithin(left: number, right: number, marker: number): number {
    let count = 0;
    for (let run = this.first; run !== undefined && before(run.seq, right); run = run.next) {
      if ((run.marks & SENT_AGAIN) === 0 || !after(run.end, marker)) continue;
      const first = before(run.seq, left) ? Math.ceil(distance(run.seq, left) / run.size) : 0;
      const end = after(run.end, right) ? Math.floor(distance(run.seq, right) / run.size) : run.pieces();
      count += Math.max(end - first, 0);
    }
    return count;
  }

  /** RFC 2018 8: the receiver may drop what it SACKed; then the marks must go. */
  forgetSacks(): void {
    for (let run = this.first; run !== undefined; run = run.next) run.marks &= ~SACKED;
    this.sackedOut = 0;
  }

  /** Notes that a lost run was sent again. */
  markRetransmitted(run: SentRun, now: number): void {
    if ((run.marks & RETRANSMITTED) === 0) {
      this.retransOut += run.pieces();
      if ((run.marks & LOST) === 0) this.sparedOut += run.pieces();
    }
    run.marks |= RETRANSMITTED | SENT_AGAIN;
    run.sentAt = now;
  }

  /** The first run that is lost and was not sent again. */
  nextLost(): SentRun | undefined {
    if (this.lostOut <= this.retransOut - this.sparedOut) return undefined;
    for (let run = this.first; run !== undefined; run = run.next) {
      if ((run.marks & (LOST | RETRANSMITTED | SACKED)) === LOST) return run;
    }
    return undefined;
  }

  /** Cuts the run behind its first `count` pieces, when it has more. */
  cutBehind(run: SentRun, count: number): void {
    if (run.pieces() > count) this.#split(run, (run.seq + count * run.size) | 0);
  }

  /** The last piece of all, in a run of its own. */
  lastPiece(): SentRun | undefined {
    const run = this.last;
    if (run === undefined) return undefined;
    const pieces = run.pieces();
    return pieces === 1 ? run : this.#split(run, (run.seq + (pieces - 1) * run.size) | 0);
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
    this.sparedOut = 0;
  }

  #lose(run: SentRun, pieces: number): void {
    this.lostTotal += pieces;
    if (this.onLost !== undefined) this.onLost(run, pieces);
  }

  /** `pieces` more (less, when negative) with these marks. */
  #count(marks: number, pieces: number): void {
    this.packetsOut += pieces;
    if ((marks & SACKED) !== 0) this.sackedOut += pieces;
    if ((marks & LOST) !== 0) this.lostOut += pieces;
    if ((marks & RETRANSMITTED) === 0) return;
    this.retransOut += pieces;
    if ((marks & LOST) === 0) this.sparedOut += pieces;
  }

  /** It is SACKed: not lost. A retransmission of what was not lost (a tail loss probe) may still be under way (Linux). */
  #noLongerLost(run: SentRun, pieces: number): void {
    if ((run.marks & LOST) === 0) return;
    this.lostOut -= pieces;
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
    second.delivered = run.delivered;
    second.deliveredAt = run.deliveredAt;
    second.firstSentAt = run.firstSentAt;
    second.lost = run.lost;
    second.inFlightAtSend = run.inFlightAtSend;
    second.appLimited = run.appLimited;
    second.previous = run;
    second.next = run.next;
    if (run.next === undefined) this.last = second;
    else run.next.previous = second;
    run.next = second;
    run.end = at;
    run.fin = 0;
    this.#count(run.marks, run.pieces() + second.pieces() - before);
    run.inFlightAtSend -= second.pieces();
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
