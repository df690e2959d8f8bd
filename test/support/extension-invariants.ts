/** What must hold of what extensions keep beside a control block, whenever its stack has flushed. */
import { CA_CWR, CA_DISORDER, type ControlBlock } from '../../src/tcp/control-block.ts';
import { WAIT_PROBE, WAIT_REORDERING, WAIT_RETRANSMISSION } from '../../src/tcp/sending-timer.ts';
import { after } from '../../src/tcp/sequence.ts';
import { KEEPALIVE, PACING, RETRANSMISSION } from '../../src/tcp/timer-kinds.ts';

export type Holds = (rule: string, yes: boolean) => void;

export function checkExtensions(connection: ControlBlock, holds: Holds): void {
  checkSendingTimer(connection, holds);
  checkRecovery(connection, holds);
  checkProbing(connection, holds);
  const { pacer, settings } = connection;
  holds('a pacing timer has a pacer', connection.timerAt(PACING) === Infinity || pacer !== undefined);
  if (pacer !== undefined) holds('a pacer has a finite time', Number.isFinite(pacer.nextAt) && pacer.rate >= 0);
  const probed = settings.keepalive || connection.orphan;
  holds('a keepalive timer is asked for', connection.idleTimerAt(KEEPALIVE) === Infinity || probed);
  const { fastOpen } = connection;
  holds('a handshake that goes on has its place in the queue', fastOpen?.queue === undefined || fastOpen.child);
}

/** RFC 8985 8: one timer, with one purpose at a time. */
function checkSendingTimer(connection: ControlBlock, holds: Holds): void {
  const { sendingFor, runs, sackOk, rack } = connection;
  const set = connection.timerAt(RETRANSMISSION) < Infinity;
  holds('the sending timer waits for something known', sendingFor >= WAIT_RETRANSMISSION && sendingFor <= WAIT_PROBE);
  holds('forerunners of the timeout are for what is out', sendingFor === WAIT_RETRANSMISSION || runs.packetsOut > 0);
  if (!set) return;
  if (sendingFor === WAIT_REORDERING) holds('a reordering window is for RACK', sackOk && rack !== undefined);
  if (sendingFor === WAIT_PROBE) holds('a tail loss probe needs SACK', sackOk);
}

/** RFC 6937 and RFC 3522: what a reduction needs to be spread, and to be undone. */
function checkRecovery(connection: ControlBlock, holds: Holds): void {
  const { recovery, caState, sndNxt, runs } = connection;
  holds('who has lost something remembers it', caState <= CA_DISORDER || recovery !== undefined);
  holds(
    'cwnd and ssthresh are whole segments',
    Number.isInteger(connection.cwnd) && Number.isInteger(connection.ssthresh),
  );
  if (recovery === undefined) return;
  holds('prr_delivered and prr_out count up', recovery.prrDelivered >= 0 && recovery.prrOut >= 0);
  holds('retransmissions to be undone are counted', recovery.undoRetrans >= -1);
  holds('what is to be undone began in the past', !recovery.undoable || !after(recovery.undoMarker, sndNxt));
  holds('prior values are whole', recovery.priorCwnd >= 0 && recovery.priorSsthresh >= 0);
  holds('a tail loss probe ends where something was sent', !recovery.probing || !after(recovery.probeEnd, sndNxt));
  holds('the first retransmission has a time', recovery.retransmittedAt >= -1);
  if (caState === CA_CWR) holds('in CWR nothing is lost', runs.lostOut === 0);
}

/** RFC 4821: a probe is part of what is out, and the search is a range. */
function checkProbing(connection: ControlBlock, holds: Holds): void {
  const { mtuProbing, sndUna, sndNxt, runs, path } = connection;
  if (mtuProbing === undefined || mtuProbing.probeSize === 0) return;
  const { probeSize, probeSeq, probeEnd, searchHigh } = mtuProbing;
  holds('an MTU probe is out', runs.packetsOut > 0 && after(probeEnd, sndUna) && !after(probeEnd, sndNxt));
  holds('an MTU probe has bytes', after(probeEnd, probeSeq));
  holds('an MTU probe is within its search', probeSize <= searchHigh || searchHigh < path.mtu);
}
