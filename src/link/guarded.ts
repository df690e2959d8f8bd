/** What links around other links, and switches, do when the one beneath was closed by whoever made it: it throws, and nobody had told them. */

import type { Clock } from '../time/clock.ts';
import { LinkClosedError } from './closed-error.ts';
import type { Link } from './link.ts';
import type { PacketBatch } from './packet.ts';

/**
 * The `send` of a link, for one that stands around it: that it was closed is no error of who sends.
 * @param broken is told once, at the end of the turn; from then on everything is taken, and lost
 */
export function guarded(link: Link, clock: Clock, broken: (reason: Error) => void): (batch: PacketBatch) => number {
  let isBroken = false;
  return (batch) => {
    if (isBroken) return batch.length;
    try {
      return link.send(batch);
    } catch (error) {
      if (!(error instanceof LinkClosedError)) throw error;
      isBroken = true;
      clock.defer(() => broken(error));
      return batch.length;
    }
  };
}
