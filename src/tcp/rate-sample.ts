/**
 * How fast the network delivers: draft-cheng-iccrg-delivery-rate-estimation, as Linux has it. Each run carries how much had been delivered when it
 * was sent, and when that was; when it is delivered itself, the difference over the time is a sample of the rate, measured where
 * sending and acknowledging took longer. Samples that the application's pauses made are marked.
 */
import type { AckNews } from './ack-news.ts';
import type { ControlBlock } from './control-block.ts';
import { SENT_AGAIN, type SentRun } from './sent-runs.ts';
import { after } from './sequence.ts';

/** What one acknowledgment tells of the rate. One record serves all; it means something until the next acknowledgment is read. */
export class RateSample {
  /** Pieces delivered since the newest of what was delivered had been sent; -1: there is no sample. */
  delivered = -1;
  /** In this time, ms; -1: it is no sample of the rate. */
  interval = -1;
  /** `connection.delivered` when that was sent, and when that had been reached, ms; -1: nothing was delivered. */
  priorDelivered = 0;
  priorAt = -1;
  /** The application, not the network, set the rate. */
  appLimited = false;
  /** What was delivered had been sent more than once. */
  retransmitted = false;
  /** Pieces in flight when it had been sent, itself among them, and how many were taken for lost since. */
  inFlightAtSend = 0;
  lost = 0;
  /** Round trip, ms; -1: none was measured. */
  rtt = -1;
  /** Pieces in flight before the acknowledgment came. */
  priorInFlight = 0;
  /** Of what it tells of: when it was sent, where it ends, how long sending took, ms, and the count of the lost when it was sent. */
  sentAt = -1;
  end = 0;
  sendInterval = 0;
  lostAtSend = 0;

  /** For the next acknowledgment. */
  reset(): void {
    this.delivered = -1;
    this.interval = -1;
    this.priorAt = -1;
    this.appLimited = false;
    this.retransmitted = false;
    this.rtt = -1;
  }
}

/** What a connection that has sent remembers for it. */
export class DeliveryRate {
  /** When `runs.delivered` was reached, ms. */
  deliveredAt = 0;
  /** When the first of what a sample covers was sent, ms. */
  firstSentAt = 0;
  /** Samples are of the application's making until this much is delivered; -1: they are not. */
  limitedUntil = -1;
  /** The last sample that says what the network can do, or the largest of the others: pieces, ms. */
  delivered = 0;
  interval = 0;
  limited = false;
}

/**
 * Something has been sent: notes what the sample needs that its acknowledgment will make.
 * @param run new, longer than it was, or (`again`) sent again
 */
export function stampSent(connection: ControlBlock, run: SentRun, again: boolean, now: number): void {
  const { runs } = connection;
  connection.rate ??= new DeliveryRate();
  const { rate } = connection;
  run.inFlightAtSend = runs.inFlight();
  if (run.deliveredAt >= 0 && !again) return;
  if (!again && runs.first === run) {
    rate.deliveredAt = now;
    rate.firstSentAt = now;
  }
  run.delivered = runs.delivered;
  run.deliveredAt = rate.deliveredAt;
  run.firstSentAt = rate.firstSentAt;
  run.lost = runs.lostTotal;
  run.appLimited = rate.limitedUntil >= 0;
}

/** A run is acknowledged or SACKed for the first time: the newest of them makes the sample. */
export function noteDelivered(sample: RateSample, run: SentRun): void {
  if (run.deliveredAt < 0) return;
  const newer =
    sample.priorAt < 0 || run.sentAt > sample.sentAt || (run.sentAt === sample.sentAt && after(run.end, sample.end));
  if (!newer) return;
  sample.priorDelivered = run.delivered;
  sample.priorAt = run.deliveredAt;
  sample.sentAt = run.sentAt;
  sample.end = run.end;
  sample.sendInterval = run.sentAt - run.firstSentAt;
  sample.appLimited = run.appLimited;
  sample.retransmitted = (run.marks & SENT_AGAIN) !== 0;
  sample.inFlightAtSend = run.inFlightAtSend;
  sample.lostAtSend = run.lost;
}

/** The acknowledgment has been read and judged. */
export function finishSample(connection: ControlBlock, news: AckNews, now: number): void {
  const { rate, runs, minRttUs } = connection;
  const sample = news.rate;
  if (rate === undefined) return;
  if (rate.limitedUntil >= 0 && runs.delivered > rate.limitedUntil) rate.limitedUntil = -1;
  if (news.delivered > 0) rate.deliveredAt = now;
  if (sample.priorAt < 0) return;
  rate.firstSentAt = sample.sentAt;
  // The receiver has dropped what it SACKed: what was delivered cannot be told.
  if (news.reneged) return;
  sample.delivered = runs.delivered - sample.priorDelivered;
  sample.lost = runs.lostTotal - sample.lostAtSend;
  // Acknowledgments may come in bunches, which would look like a rate that no network has: the slower of the two counts.
  const interval = Math.max(sample.sendInterval, now - sample.priorAt);
  // Shorter than any round trip: what was sent again was not what arrived.
  if (Math.round(interval * 1000) < minRttUs || interval <= 0) return;
  sample.interval = interval;
  if (sample.appLimited && sample.delivered * rate.interval < rate.delivered * interval) return;
  rate.delivered = sample.delivered;
  rate.interval = interval;
  rate.limited = sample.appLimited;
}

/**
 * The application is about to write: when it let the network run dry, what is out now, and what follows until that has been delivered, says
 * nothing about the network.
 */
export function noteApplicationLimit(connection: ControlBlock): void {
  const { rate, runs, sendQueue, sndNxt, sndMss, cwnd } = connection;
  if (rate === undefined) return;
  const dry = ((sendQueue.end - sndNxt) | 0) < sndMss && runs.inFlight() < cwnd && runs.lostOut <= runs.retransOut;
  if (dry) limitSamples(connection);
}

/** Samples are not the network's until what is out has been delivered. */
export function limitSamples({ rate, runs }: ControlBlock): void {
  if (rate !== undefined) rate.limitedUntil = runs.delivered + runs.inFlight();
}

/** tcpi_delivery_rate: bytes per second; 0: not known. */
export function deliveryRate({ rate, sndMss }: ControlBlock): number {
  if (rate === undefined || rate.interval === 0) return 0;
  return Math.floor((rate.delivered * sndMss * 1000) / rate.interval);
}
