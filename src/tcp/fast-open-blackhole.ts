/**
 * Signs that something on the way swallows SYNs with data, or what follows them: then the host goes without Fast Open for a while, as
 * RFC 7413 4.1.3.1 and 7.1 ask for. When and for how long is Linux's. Names in brackets are of its functions.
 */
import type { ControlBlock } from './control-block.ts';
import { ESTABLISHED } from './state.ts';

/**
 * A timeout: the third in a row, or the last of fewer [tcp_fastopen_active_detect_blackhole].
 * @param count timeouts before this one
 */
export function noteTimeout(connection: ControlBlock, count: number, last: boolean, now: number): void {
  const { fastOpen } = connection;
  if (fastOpen === undefined || fastOpen.child || !(fastOpen.offered || fastOpen.synData)) return;
  if (count === 2 || (count < 2 && last)) giveUp(connection, now);
}

/** A RST in the window that is not the next, before any data. */
export function noteStrayReset(connection: ControlBlock, now: number): void {
  if (connection.fastOpen?.offered !== true || connection.state !== ESTABLISHED || hasReceived(connection)) return;
  giveUp(connection, now);
}

/** The connection is over: a FIN came without the data before it; or data came, and ends a trial [tcp_fastopen_active_disable_ofo_check]. */
export function noteEnd(connection: ControlBlock, now: number): void {
  const { context, fastOpen, finSeqKnown, finReceived, remote } = connection;
  if (fastOpen?.offered !== true) return;
  if (!hasReceived(connection)) {
    if (finSeqKnown && !finReceived) giveUp(connection, now);
  } else if (fastOpen.trial && !remote.isLoopback) {
    context.fastOpen.worksAgain();
  }
}

function giveUp({ context }: ControlBlock, now: number): void {
  if (context.fastOpen.giveUp(now)) context.counters.TCPFastOpenBlackhole++;
}

/** Data has come. */
function hasReceived({ reassembly, rcvNxt, irs, finReceived }: ControlBlock): boolean {
  const bytes = (rcvNxt - irs - 1 - (finReceived ? 1 : 0)) | 0;
  return bytes > 0 || (reassembly !== undefined && !reassembly.empty);
}
