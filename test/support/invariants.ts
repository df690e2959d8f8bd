/** What must hold of a control block whenever its stack has flushed. A test that moves packets asks after every step. */
import type { Stack } from '../../src/stack/stack.ts';
import { type ControlBlock, KIND_CONNECTION } from '../../src/tcp/control-block.ts';
import { MORE_AWAITED } from '../../src/tcp/nagle.ts';
import { held } from '../../src/tcp/persist.ts';
import { LOST, RETRANSMITTED, SACKED, SENT_AGAIN, type SentRun } from '../../src/tcp/sent-runs.ts';
import { before, distance } from '../../src/tcp/sequence.ts';
import { FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, stateName } from '../../src/tcp/state.ts';
import { DELAYED_ACK, LINGER, PACING, PERSIST, RETRANSMISSION } from '../../src/tcp/timer-kinds.ts';
import { checkExtensions, type Holds } from './extension-invariants.ts';

/** Right edges that have been advertised, to see that none moves back. */
const edges = new WeakMap<ControlBlock, number>();

/**
 * @param wellBehaved the peers keep to the windows
 * @throws Error naming the rule, with the control block's numbers
 */
export function checkStack(stack: Stack, wellBehaved = true): void {
  for (const entry of stack.demux.entries()) {
    if (entry.kind === KIND_CONNECTION) checkInvariants(entry, stack.clock.now(), wellBehaved);
  }
}

/**
 * @param now the stack's time, ms
 * @throws Error as `checkStack`
 */
export function checkInvariants(connection: ControlBlock, now: number, wellBehaved = true): void {
  const holds = (rule: string, yes: boolean) => {
    if (!yes) throw new Error(`broken at t=${now} ms: ${rule}\n${describe(connection)}`);
  };
  holds('a connection in the table is not released', !connection.released);
  // What the interface had no room for is sent when it has: nothing can be said of the connection until then.
  if (connection.dirty) return;
  checkReceiver(connection, holds, wellBehaved);
  // RFC 7413 A.1: the SYN waits for a write.
  if (connection.fastOpen?.deferred === true) return;
  if ((connection.state & (SYN_SENT | SYN_RECEIVED)) !== 0 || connection.handshakeOpen) {
    return holds('a SYN that is out has a retransmission timer', connection.timerAt(RETRANSMISSION) < Infinity);
  }
  checkSender(connection, holds);
  checkScoreboard(connection, holds);
  checkTimers(connection, holds, now);
  checkExtensions(connection, holds);
}

function checkReceiver(connection: ControlBlock, holds: Holds, wellBehaved: boolean): void {
  const { rcvNxt, rcvAdv, receiveQueue, settings, rcvWindShift } = connection;
  // A segment that reaches beyond the edge is taken when nothing is unread (Linux); those who behave send none.
  const beyond = wellBehaved ? 0 : 65_535;
  holds('RCV.NXT <= the advertised edge', distance(rcvAdv, rcvNxt) <= beyond);
  const edge = edges.get(connection);
  const synchronized = (connection.state & SYN_SENT) === 0;
  const mayShrink = connection.context.config.tcp_shrink_window && rcvWindShift > 0;
  if (edge !== undefined && synchronized && !mayShrink)
    holds('the advertised edge never moves back', !before(rcvAdv, edge));
  if (synchronized) edges.set(connection, rcvAdv);
  // The window field counts units; rounding up may offer one more than there is.
  // What came with a SYN (RFC 7413) is not counted in the window that its answer offers.
  const withSyn = connection.fastOpen?.child === true ? 65_535 : 0;
  const most = settings.rcvBuf + 2 ** rcvWindShift + withSyn;
  holds(`at most ${most} bytes unread`, receiveQueue.length <= most);
}

function checkSender(connection: ControlBlock, holds: Holds): void {
  const { sndUna, sndNxt, sendQueue, runs, finSent, finQueued } = connection;
  holds('SND.UNA <= SND.NXT', !before(sndNxt, sndUna));
  holds('SND.NXT <= the end of what is queued', !before(connection.sendEnd, sndNxt));
  const finAcknowledged = finSent && sndUna === sndNxt;
  holds('the send queue starts at SND.UNA', ((sendQueue.base + (finAcknowledged ? 1 : 0)) | 0) === sndUna);
  holds('a FIN that was sent was queued', finQueued || !finSent);
  holds('packets are out if, and only if, sequence numbers are', runs.packetsOut > 0 === (sndUna !== sndNxt));
  holds('cwnd >= 1, ssthresh >= 2', connection.cwnd >= 1 && connection.ssthresh >= 2);
}

function checkScoreboard(connection: ControlBlock, holds: Holds): void {
  const { runs, sndUna, sndNxt, sackOk } = connection;
  let [packets, sacked, lost, again] = [0, 0, 0, 0];
  let at = sndUna;
  let previous: SentRun | undefined;
  for (let run = runs.first; run !== undefined; run = run.next) {
    holds('runs follow each other without a hole', run.seq === at && before(run.seq, run.end));
    holds('runs are linked both ways', run.previous === previous);
    const { marks } = run;
    const pieces = run.pieces();
    packets += pieces;
    if ((marks & SACKED) !== 0) sacked += pieces;
    if ((marks & LOST) !== 0) lost += pieces;
    if ((marks & RETRANSMITTED) !== 0) again += pieces;
    holds('what is SACKed is not lost', (marks & SACKED) === 0 || (marks & LOST) === 0);
    holds('what was sent again is known to have been', (marks & RETRANSMITTED) === 0 || (marks & SENT_AGAIN) !== 0);
    at = run.end;
    previous = run;
  }
  holds('the last run ends at SND.NXT', runs.first === undefined || at === sndNxt);
  holds('the last run is the last', runs.last === previous);
  holds(`packetsOut is ${packets}`, runs.packetsOut === packets);
  holds(`lostOut is ${lost}`, runs.lostOut === lost);
  holds(`retransOut is ${again}`, runs.retransOut === again);
  if (sackOk) holds(`sackedOut is ${sacked}`, runs.sackedOut === sacked);
  else holds('no more presumed received than out', runs.sackedOut >= 0 && runs.sackedOut + lost <= packets);
  holds('as much in flight as 0 or more', runs.inFlight() >= 0);
}

function checkTimers(connection: ControlBlock, holds: Holds, now: number): void {
  const { runs, context, timerRow } = connection;
  const isSet = (kind: number) => connection.timerAt(kind) < Infinity;
  holds('no timer is overdue', context.timers.earliest(timerRow) >= now);
  holds('what is out has a retransmission timer', runs.packetsOut === 0 || isSet(RETRANSMISSION));
  const paced = isSet(PACING);
  const waiting = runs.packetsOut === 0 && held(connection);
  const gathered = connection.settings.cork || connection.moreToCome === MORE_AWAITED;
  holds('what waits while nothing is out has a timer', !waiting || paced || isSet(PERSIST));
  holds('what the window has room for leaves when nothing is out', !waiting || paced || gathered || !fits(connection));
  holds('an acknowledgment that is due has gone', !connection.ackNow);
  holds('a delayed acknowledgment has a timer', !connection.ackDelayed || isSet(DELAYED_ACK));
  const left = (connection.state & FIN_WAIT_2) !== 0 && connection.orphan;
  holds('an orphan in FIN-WAIT-2 has a timer', !left || connection.idleTimerAt(LINGER) < Infinity);
  const next = paced ? undefined : runs.nextLost();
  if (next === undefined || connection.cwnd <= runs.inFlight()) return;
  // RFC 7413 4.2.2: only the SYN-ACK goes again before it is answered.
  if (connection.handshakeOpen) return;
  // RFC 5682: it waits until it is known whether the timeout was spurious.
  if (connection.recovery?.holding === true) return;
  if (connection.recovery?.frto === true && connection.sndNxt !== connection.recover) return;
  const edge = (connection.sndUna + connection.sndWnd) | 0;
  holds(
    'what is lost goes out when cwnd and window have room',
    !before(next.seq, edge) && next.seq !== connection.sndUna,
  );
}

/** A full segment, or all that is queued, fits into the peer's window. */
function fits(connection: ControlBlock): boolean {
  const { sndNxt, sendQueue, sndMss } = connection;
  const window = distance(sndNxt, (connection.sndUna + connection.sndWnd) | 0);
  const waiting = distance(sndNxt, sendQueue.end);
  return waiting > 0 ? window >= Math.min(waiting, sndMss) : window > 0;
}

function describe(connection: ControlBlock): string {
  const { iss, irs, runs, sendQueue, receiveQueue, settings } = connection;
  const { local, remote } = connection.flow();
  const timers = ['retransmission', 'persist', 'delayed-ack', 'pacing'].map(
    (name, kind) => `${name} ${connection.timerAt(kind)}`,
  );
  const list: string[] = [];
  for (let run = runs.first; run !== undefined && list.length < 20; run = run.next) {
    list.push(`${distance(iss, run.seq)}..${distance(iss, run.end)}/${run.size}:${run.marks}`);
  }
  return [
    `${local} > ${remote} ${stateName(connection.state)}${connection.orphan ? ' orphan' : ''}`,
    `una ${distance(iss, connection.sndUna)} nxt ${distance(iss, connection.sndNxt)} queued to ${distance(iss, sendQueue.end)}` +
      ` wnd ${connection.sndWnd} mss ${connection.sndMss} fin ${connection.finQueued}/${connection.finSent}`,
    `rcvNxt ${distance(irs, connection.rcvNxt)} adv ${distance(irs, connection.rcvAdv)} unread ${receiveQueue.length} of ${settings.rcvBuf}`,
    `cwnd ${connection.cwnd} ssthresh ${connection.ssthresh} ca ${connection.caState} sacked ${connection.runs.sackedOut}` +
      ` out ${runs.packetsOut} sacked ${runs.sackedOut} lost ${runs.lostOut} again ${runs.retransOut} sack ${connection.sackOk}`,
    `cork ${settings.cork}/${connection.moreToCome}/${connection.uncorked} nodelay ${settings.noDelay} ackNow ${connection.ackNow}`,
    `timers: ${timers.join(', ')}`,
    `runs: ${list.join(' ')}`,
  ].join('\n');
}
