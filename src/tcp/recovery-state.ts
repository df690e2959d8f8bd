/** What a connection remembers of its losses: made when something is sent again, or a loss is suspected, for the first time. */
import type { ControlBlock } from './control-block.ts';

export class RecoveryState {
  /** cwnd before it was reduced, and ssthresh; 0: not to be undone (RFC 3168: congestion was reported). */
  priorCwnd = 0;
  priorSsthresh = 0;
  /** SND.UNA when the reduction began, meant while `undoable`. */
  undoMarker = 0;
  undoable = false;
  /** Retransmissions of this episode that no D-SACK has reported; -1: nothing was sent again yet. */
  undoRetrans = -1;
  /** When something was first sent again in this episode, ms, and the timestamp that it carried; -1: nothing was. */
  retransmittedAt = -1;
  retransmitStamp = 0;

  /** RFC 6937 2: prr_delivered and prr_out, segments. */
  prrDelivered = 0;
  prrOut = 0;

  /** The hole was filled by what had only been delayed: until the next acknowledgment nothing more is sent again. */
  holding = false;

  /** RFC 5682: whether the timeout was spurious is still open. */
  frto = false;
  /** RFC 5682 2.1 step 2b: the next that goes out is new data. */
  newDataFirst = false;

  /** RFC 8985 7.2: TLP.end_seq and TLP.is_retrans, meant while `probing`. */
  probing = false;
  probeEnd = 0;
  probeRetransmitted = false;

  /** Retransmission timeouts, in how many rows, and how long those were that are over, ms; when the last began that is not, -1: it is. */
  timeouts = 0;
  timeoutRows = 0;
  timeoutTime = 0;
  timeoutSince = -1;

  /** Pieces that D-SACKs have reported. */
  duplicates = 0;
  /** How often reordering was seen. */
  reorderings = 0;
}

export function recoveryOf(connection: ControlBlock): RecoveryState {
  connection.recovery ??= new RecoveryState();
  return connection.recovery;
}

/** For TCP_INFO: the retransmission timer fired; comes before `retransmits` counts it. */
export function noteTimeoutInRow(connection: ControlBlock, now: number): void {
  const recovery = recoveryOf(connection);
  if (connection.retransmits === 0) {
    recovery.timeoutRows++;
    recovery.timeoutSince = now;
  }
  recovery.timeouts++;
}

/** The peer answers again, and what was lost is repaired. */
export function endTimeouts(recovery: RecoveryState, now: number): void {
  if (recovery.timeoutSince < 0) return;
  recovery.timeoutTime += now - recovery.timeoutSince;
  recovery.timeoutSince = -1;
}

/** Something that is out was sent more than once. */
export function anythingSentAgain({ runs }: ControlBlock): boolean {
  return runs.retransOut > 0 || runs.first?.sentAgain === true;
}
