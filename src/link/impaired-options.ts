/** What an impaired link is told to do to packets, checked and completed. */

export type Direction = 'in' | 'out';

export interface RuleInfo {
  /** `out`: from the host to the link; `in`: from the link to the host. */
  readonly direction: Direction;
  /** Which packet of its direction this is, counted from 0 after super-segments were cut. */
  readonly index: number;
  /** `clock.now()`, ms. */
  readonly at: number;
}

/** Looks at one IP packet and says what is to become of it: a number is a delay in ms, on top of all others. */
export type Rule = (packet: Uint8Array, info: RuleInfo) => 'pass' | 'drop' | number;

/**
 * Losses in bursts, after E. N. Gilbert and E. O. Elliott: the path is good or bad, and changes its mind once per packet.
 */
export interface BurstLoss {
  /** Probability that a good path turns bad. */
  readonly p: number;
  /** Probability that a bad path turns good: bursts have 1 / r packets on average. */
  readonly r: number;
  /** Probability of a loss on a good path; 0 by default. */
  readonly lossGood?: number;
  /** Probability of a loss on a bad path; 1 by default. */
  readonly lossBad?: number;
}

export interface Reorder {
  readonly probability: number;
  /** How many later packets overtake the chosen one. With neither this nor `delay`: 3. */
  readonly packets?: number;
  /** How long the chosen packet is kept back at most, ms; with `packets` 200 by default, for overtakers that never come. */
  readonly delay?: number;
}

/** What happens to the packets of one direction, in this order. All probabilities are per packet, 0..1, and 0 by default. */
export interface Impairment {
  /** Is asked first. */
  readonly rule?: Rule;
  /** Probability of loss. */
  readonly loss?: number;
  readonly burstLoss?: BurstLoss;
  /** Bits per second; Infinity by default. */
  readonly rate?: number;
  /** With a rate: packets that wait for it before more are lost; 1000 by default. */
  readonly queue?: number;
  /** With a rate: bytes that wait for it before more are lost; Infinity by default. */
  readonly queueBytes?: number;
  /** Probability that an ECN-capable packet is marked as having met congestion (CE, RFC 3168 5). */
  readonly mark?: number;
  /** With a rate: ECN-capable packets that find more than this waiting for it are marked (DCTCP's K); Infinity by default. */
  readonly markAbove?: number;
  /** Probability that a packet arrives twice. */
  readonly duplicate?: number;
  /** Probability that one bit, anywhere in the IP packet, is flipped. */
  readonly corrupt?: number;
  /** Probability, or more precisely what, of a packet being overtaken. */
  readonly reorder?: number | Reorder;
  /** ms; 0 by default. */
  readonly delay?: number;
  /** The delay of each packet grows by a random time of 0 to this, ms: packets may overtake each other. */
  readonly jitter?: number;
  /** Packets do not overtake each other because of jitter; false by default. */
  readonly keepOrder?: boolean;
}

export interface ImpairedOptions {
  /** The same seed and the same packets give the same fate; 1 by default. */
  readonly seed?: number | string;
  readonly both?: Impairment;
  /** Towards the host; what it names counts instead of what `both` says. */
  readonly in?: Impairment;
  /** Away from the host; as `in`. */
  readonly out?: Impairment;
}

/** An `Impairment` with nothing left open. */
export interface CompleteImpairment {
  readonly rule: Rule | undefined;
  readonly loss: number;
  readonly burstLoss: Required<BurstLoss> | undefined;
  readonly rate: number;
  readonly queue: number;
  readonly queueBytes: number;
  readonly mark: number;
  readonly markAbove: number;
  readonly duplicate: number;
  readonly corrupt: number;
  readonly reorder: Required<Reorder>;
  readonly delay: number;
  readonly jitter: number;
  readonly keepOrder: boolean;
}

const DEFAULT_QUEUE = 1000;
const DEFAULT_OVERTAKERS = 3;
const LONGEST_REORDER = 200;
const NAMES = new Set([
  'rule',
  'loss',
  'burstLoss',
  'rate',
  'queue',
  'queueBytes',
  'mark',
  'markAbove',
  'duplicate',
  'corrupt',
  'reorder',
  'delay',
  'jitter',
  'keepOrder',
]);

/** @throws RangeError naming the option that is out of range, senseless or unknown */
export function completeImpairment(impairment: Impairment): CompleteImpairment {
  for (const name of Object.keys(impairment)) {
    if (!NAMES.has(name)) throw new RangeError(`impaired: there is no option ${name}`);
  }
  const { rule, burstLoss, rate = Infinity, queue, queueBytes, markAbove } = impairment;
  const { reorder = 0, keepOrder = false } = impairment;
  if (!(rate > 0)) throw new RangeError(`impaired: rate must be > 0 bits/s, got ${rate}`);
  if (queue !== undefined && !(queue >= 1)) throw new RangeError(`impaired: queue must be >= 1 packet, got ${queue}`);
  if (queueBytes !== undefined && !(queueBytes >= 1))
    throw new RangeError(`impaired: queueBytes must be >= 1, got ${queueBytes}`);
  if (markAbove !== undefined && !(markAbove >= 0))
    throw new RangeError(`impaired: markAbove must be >= 0 packets, got ${markAbove}`);
  for (const [name, value] of Object.entries({ queue, queueBytes, markAbove })) {
    if (value !== undefined && rate === Infinity)
      throw new RangeError(`impaired: ${name} needs a rate: without one no packet waits`);
  }
  if (rule !== undefined && typeof rule !== 'function')
    throw new RangeError(`impaired: rule must be a function, got ${typeof rule}`);
  return {
    rule,
    loss: probability('loss', impairment.loss),
    burstLoss: burstLoss === undefined ? undefined : completeBurstLoss(burstLoss),
    rate,
    queue: queue ?? DEFAULT_QUEUE,
    queueBytes: queueBytes ?? Infinity,
    mark: probability('mark', impairment.mark),
    markAbove: markAbove ?? Infinity,
    duplicate: probability('duplicate', impairment.duplicate),
    corrupt: probability('corrupt', impairment.corrupt),
    reorder: completeReorder(typeof reorder === 'object' ? reorder : { probability: reorder }),
    delay: duration('delay', impairment.delay),
    jitter: duration('jitter', impairment.jitter),
    keepOrder,
  };
}

function completeBurstLoss({ p, r, lossGood, lossBad }: BurstLoss): Required<BurstLoss> {
  return {
    p: probability('burstLoss.p', p),
    r: probability('burstLoss.r', r),
    lossGood: probability('burstLoss.lossGood', lossGood),
    lossBad: probability('burstLoss.lossBad', lossBad ?? 1),
  };
}

function completeReorder(reorder: Reorder): Required<Reorder> {
  const { packets = reorder.delay === undefined ? DEFAULT_OVERTAKERS : Infinity, delay = LONGEST_REORDER } = reorder;
  if (!(packets >= 1)) throw new RangeError(`impaired: reorder.packets must be >= 1, got ${packets}`);
  return { probability: probability('reorder', reorder.probability), packets, delay: duration('reorder.delay', delay) };
}

function probability(name: string, value = 0): number {
  if (!(value >= 0 && value <= 1))
    throw new RangeError(`impaired: ${name} must be a probability in 0..1, got ${value}`);
  return value;
}

function duration(name: string, value = 0): number {
  if (!(value >= 0 && value < Infinity)) throw new RangeError(`impaired: ${name} must be >= 0 ms, got ${value}`);
  return value;
}
