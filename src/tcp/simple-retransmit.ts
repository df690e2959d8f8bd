/**
 * Segments that were too large for the path go again at once, cut anew: RFC 1191 6.4, RFC 4821 7.6.2. That is no sign of congestion: cwnd and
 * ssthresh stay. Linux's tcp_simple_retransmit.
 */
import { CA_LOSS, type ControlBlock } from './control-block.ts';
import { currentMss } from './mss.ts';
import { currentSsthresh } from './prr.ts';
import { recoveryOf } from './recovery-state.ts';
import { repeatSyn } from './repeat-syn.ts';
import { retransmissionTimeout } from './round-trip.ts';
import { armRetransmission } from './sending-timer.ts';
import { distance } from './sequence.ts';
import { SYN_SENT } from './state.ts';

/** Takes for lost what is out in segments larger than the MSS of today. */
export function simpleRetransmit(connection: ControlBlock, now: number): void {
  const { runs } = connection;
  // RFC 7413 4.2.2: data of a SYN waits for the answer to a SYN without.
  const opening = connection.state === SYN_SENT && connection.fastOpen?.synData === true;
  const size = opening ? 0 : currentMss(connection);
  for (let run = runs.first; run !== undefined; run = run.next) {
    const length = distance(run.seq, run.end) - run.fin;
    if (Math.min(run.size, length) > size) runs.markLost(run);
  }
  if (runs.lostOut === 0) return;
  if (!connection.sackOk) runs.sackedOut = Math.min(runs.sackedOut, runs.packetsOut - runs.lostOut);
  recoverWithoutReduction(connection, now);
  if (!opening) return;
  repeatSyn(connection);
  armRetransmission(connection, now + retransmissionTimeout(connection));
}

/** A loss that says nothing of congestion: recovery as after a timeout, with the window as it was. */
export function recoverWithoutReduction(connection: ControlBlock, now: number): void {
  if (connection.caState !== CA_LOSS) {
    connection.recover = connection.sndNxt;
    connection.ssthresh = currentSsthresh(connection);
    const recovery = recoveryOf(connection);
    recovery.priorSsthresh = 0;
    recovery.undoable = false;
    connection.caState = CA_LOSS;
  }
  connection.context.markDirty(connection);
  if (connection.context.trace === undefined) return;
  const { cwnd, ssthresh } = connection;
  connection.trace({ type: 'congestion', at: now, flow: connection.flow(), state: 'loss', cwnd, ssthresh });
}
