/** F-RTO: was the timeout spurious? RFC 5682 2 and 3, as Linux has it: with SACK and without. */
import type { AckNews } from './ack-news.ts';
import type { ControlBlock } from './control-block.ts';
import { addDuplicate, forgetDuplicates } from './new-reno.ts';
import { recoveryOf } from './recovery-state.ts';
import { after, afterOrAt, before } from './sequence.ts';
import { tryUndoLoss, tryUndoRecovery } from './undo.ts';

/** An acknowledgment during recovery from a timeout. */
export function processLoss(connection: ControlBlock, news: AckNews): void {
  const recovery = recoveryOf(connection);
  const recovered = afterOrAt(connection.sndUna, connection.recover);
  if (news.advanced && tryUndoLoss(connection, news, false)) return;
  if (recovery.frto) {
    // 3.1 step 3b: something arrived that was never sent again: not everything is lost.
    if (news.originalDelivered && tryUndoLoss(connection, news, true)) return;
    if (after(connection.sndNxt, connection.recover)) {
      // Step 3a: a duplicate of what was sent again: the loss was real.
      if (news.sacked > 0 || news.duplicate) recovery.frto = false;
    } else if (news.advanced && !recovered) {
      // Step 2b: new data goes out, whose acknowledgment will tell.
      if (maySendNew(connection)) {
        recovery.newDataFirst = true;
        return;
      }
      recovery.frto = false;
    }
  }
  if (recovered) {
    // Step 2a: everything is acknowledged; what the duplicates were of is behind it, and is no new loss (unlike Linux, which counts on).
    if (!connection.sackOk) forgetDuplicates(connection);
    tryUndoRecovery(connection, news);
    return;
  }
  if (connection.sackOk) return;
  // A duplicate for what was sent in step 2b: that has left the network.
  if (after(connection.sndNxt, connection.recover) && news.duplicate) addDuplicate(connection, news);
  else if (news.advanced) forgetDuplicates(connection);
}

/** There is new data, and the peer's window has room for it. */
function maySendNew(connection: ControlBlock): boolean {
  const edge = (connection.sndUna + connection.sndWnd) | 0;
  return before(connection.sndNxt, connection.sendQueue.end) && before(connection.sndNxt, edge);
}
