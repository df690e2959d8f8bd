/**
 * Tail loss probes: when no acknowledgment comes for two round trips, one more segment goes out, whose acknowledgment shows what of the tail is
 * lost: long before the retransmission timeout. RFC 8985 7.
 */
import type { AckNews } from './ack-news.ts';
import { CA_CWR, CA_OPEN, type ControlBlock } from './control-block.ts';
import { endReduction, startReduction } from './prr.ts';
import { keepOpen } from './recovery.ts';
import { recoveryOf } from './recovery-state.ts';
import { INITIAL_RTO_US, retransmissionTimeout } from './round-trip.ts';
import { leastRtoUs } from './route-metrics.ts';
import { armProbe, rearmRetransmission, timeoutDue } from './sending-timer.ts';
import { after, before } from './sequence.ts';
import { TIMEOUT_MIN } from './timer-kinds.ts';

/**
 * RFC 8985 7.2, TLP_calc_PTO; as Linux: 2 * SRTT and 2 ms, or the least RTO more when one segment is out, whose acknowledgment may be delayed.
 * @param advanced an acknowledgment has just come: the RTO counts from now
 * @returns whether the probe timer runs now
 */
export function scheduleProbe(connection: ControlBlock, advanced: boolean, now: number): boolean {
  const { config } = connection.context;
  const { runs, srttUs, caState } = connection;
  const on = config.tcp_early_retrans === 3 || config.tcp_early_retrans === 4;
  if (!on || runs.packetsOut === 0 || !connection.sackOk || (caState !== CA_OPEN && caState !== CA_CWR)) return false;
  let wait = INITIAL_RTO_US / 1000;
  if (srttUs > 0) wait = (2 * srttUs + (runs.packetsOut === 1 ? leastRtoUs(connection) : TIMEOUT_MIN * 1000)) / 1000;
  const due = advanced ? now + retransmissionTimeout(connection) : timeoutDue(connection);
  armProbe(connection, due > now ? Math.min(now + wait, due) : now + wait);
  return true;
}

/** RFC 8985 7.3: the probe timer fired; output sends the probe, unless one is out that nobody has answered. */
export function probeTimeout(connection: ControlBlock, now: number): void {
  if (connection.recovery?.probing === true) return rearmRetransmission(connection, now);
  connection.probeDue = true;
  connection.context.markDirty(connection);
}

/** The probe went out. @param retransmitted it is the last segment again, not new data */
export function probeSent(connection: ControlBlock, retransmitted: boolean): void {
  const recovery = recoveryOf(connection);
  recovery.probing = true;
  recovery.probeRetransmitted = retransmitted;
  recovery.probeEnd = connection.sndNxt;
  connection.context.counters.TCPLossProbes++;
}

/** RFC 8985 7.4, TLP_process_ack. */
export function probeAcknowledged(connection: ControlBlock, ack: number, news: AckNews): void {
  const { recovery } = connection;
  if (recovery === undefined || !recovery.probing || before(ack, recovery.probeEnd)) return;
  if (!recovery.probeRetransmitted || news.probeDuplicated) {
    recovery.probing = false;
  } else if (after(ack, recovery.probeEnd)) {
    // More is acknowledged than the probe, and it was not reported twice: what it repeated had been lost, and that is congestion.
    startReduction(connection, false);
    connection.caState = CA_CWR;
    endReduction(connection);
    keepOpen(connection);
    connection.context.counters.TCPLossProbeRecovery++;
  } else if (!news.advanced && !news.text && !news.windowMoved && news.acked === 0 && news.sacked === 0) {
    // It was answered by a duplicate: the original had arrived, and so did the probe.
    recovery.probing = false;
  }
}
