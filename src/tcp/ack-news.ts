/**
 * What one acknowledgment tells: RFC 9293's ACK field, SACK, D-SACK and the timestamp, brought together for loss recovery and
 * congestion control. One record serves all; it means something until the next acknowledgment is read.
 */
import { RateSample } from './rate-sample.ts';

export class AckNews {
  /** What it tells of the rate at which the network delivers. */
  readonly rate = new RateSample();
  /** SND.UNA before, and the end of the highest that was SACKed before (SND.UNA: nothing). */
  priorUna = 0;
  priorForward = 0;
  /** End of what was out when the loss that is being recovered from was found. */
  highSeq = 0;
  /** The segment carries data; it moves the send window. */
  text = false;
  windowMoved = false;
  /** SND.UNA moves. */
  advanced = false;
  /** TSecr, meant while `hasEcho`. */
  echo = 0;
  hasEcho = false;
  /** Retransmissions sent after this, ms, may not be what is acknowledged. */
  believableUntil = Infinity;
  /** RFC 3168 6.1.2: the peer saw congestion. */
  ece = false;

  /** Pieces acknowledged cumulatively; of these and of SACKed ones, those of which it is the first to tell. */
  acked = 0;
  newlyAcked = 0;
  /** Pieces newly SACKed. */
  sacked = 0;
  /** Pieces delivered (`newlyAcked`, and what duplicates stand for without SACK), and pieces taken for lost since. */
  delivered = 0;
  lost = 0;
  /** Payload bytes in `newlyAcked`. */
  deliveredBytes = 0;
  /** It is a duplicate acknowledgment (RFC 5681 2): nothing new at all. */
  duplicate = false;
  /** RFC 2883: it reports a duplicate; and that is one of the tail loss probe. */
  duplicateReported = false;
  probeDuplicated = false;
  /** The oldest segment out is SACKed and yet not acknowledged. */
  reneged = false;
  /** A retransmission turned out to be lost. */
  lostAgain = false;
  /** The timer has been set for what was found: it is not to be set anew. */
  timerSet = false;

  // Times are when something was sent, ms; -1: nothing.

  /** Of what it acknowledges cumulatively, never sent again and not SACKed before: the first and the last. */
  ackedFirstAt = -1;
  ackedLastAt = -1;
  /** Something that it acknowledges cumulatively had been sent again. */
  ackedAgain = false;
  /** Of what it newly SACKs, never sent again: the first and the last. */
  sackedFirstAt = -1;
  sackedLastAt = -1;
  /** Something never sent again was delivered that had been sent before `highSeq`: not everything is lost (RFC 5682 3.1). */
  originalDelivered = false;
  /** Something never sent again was delivered behind what had been SACKed before: the lowest such, meant while `reordered`. */
  reordered = false;
  reorderedSeq = 0;
  /** Of all, what was sent last, when it was sent and where it ends, but for retransmissions that may not be meant. */
  newestSentAt = -1;
  newestEnd = 0;
  /** The last of what it acknowledges cumulatively, and the highest of what it newly SACKs, in the same way. */
  lastAckedAt = -1;
  lastSackedAt = -1;
  lastSackedSeq = 0;

  /** For the next acknowledgment. */
  reset(): void {
    this.text = false;
    this.windowMoved = false;
    this.advanced = false;
    this.hasEcho = false;
    this.believableUntil = Infinity;
    this.ece = false;
    this.acked = 0;
    this.newlyAcked = 0;
    this.sacked = 0;
    this.delivered = 0;
    this.deliveredBytes = 0;
    this.lost = 0;
    this.duplicate = false;
    this.duplicateReported = false;
    this.probeDuplicated = false;
    this.reneged = false;
    this.lostAgain = false;
    this.timerSet = false;
    this.ackedFirstAt = -1;
    this.ackedLastAt = -1;
    this.ackedAgain = false;
    this.sackedFirstAt = -1;
    this.sackedLastAt = -1;
    this.originalDelivered = false;
    this.reordered = false;
    this.newestSentAt = -1;
    this.rate.reset();
    this.lastAckedAt = -1;
    this.lastSackedAt = -1;
  }
}
