/**
 * The least round trip of late (Linux's windowed minimum, tcp_min_rtt_wlen): after a change of route to a longer path the old one must be
 * forgotten. Kathleen Nichols' filter: the best three samples, each later than the one before it, so that there is a second best from
 * nearby when the best grows too old.
 */
import type { ControlBlock } from './control-block.ts';

/** The second and the third best: made when they differ from the best. Microseconds, and when they were taken, ms. */
export class NextLeastRoundTrips {
  second: number;
  secondAt: number;
  third: number;
  thirdAt: number;

  constructor(best: number, at: number) {
    this.second = best;
    this.secondAt = at;
    this.third = best;
    this.thirdAt = at;
  }
}

/** A round trip was measured. @param us microseconds, at least 1 */
export function noteLeastRoundTrip(connection: ControlBlock, us: number, now: number): void {
  const at = Math.trunc(now);
  const next = connection.nextLeastRtts;
  const window = connection.context.config.tcp_min_rtt_wlen * 1000;
  if (us <= connection.minRttUs || at - (next?.thirdAt ?? connection.minRttAt) > window) {
    connection.minRttUs = us;
    connection.minRttAt = at;
    connection.nextLeastRtts = undefined;
    return;
  }
  if (next !== undefined) {
    if (us <= next.second) takeSecond(next, us, at);
    else if (us <= next.third) takeThird(next, us, at);
  }
  age(connection, us, at, window);
}

/** The best is let go when it is older than the window; a quarter and a half of it on, what came since is looked at anew. */
function age(connection: ControlBlock, us: number, at: number, window: number): void {
  const elapsed = at - connection.minRttAt;
  let next = connection.nextLeastRtts;
  if (next === undefined && elapsed <= window / 4) return;
  next ??= new NextLeastRoundTrips(connection.minRttUs, connection.minRttAt);
  connection.nextLeastRtts = next;
  if (elapsed > window) {
    promote(connection, next, us, at);
    // Nothing came for so long that the second best is too old as well.
    if (at - connection.minRttAt > window) promote(connection, next, us, at);
  } else if (next.secondAt === connection.minRttAt && elapsed > window / 4) {
    takeSecond(next, us, at);
  } else if (next.thirdAt === next.secondAt && elapsed > window / 2) {
    takeThird(next, us, at);
  }
}

/** The second best becomes the best, and the new one is the third. */
function promote(connection: ControlBlock, next: NextLeastRoundTrips, us: number, at: number): void {
  connection.minRttUs = next.second;
  connection.minRttAt = next.secondAt;
  next.second = next.third;
  next.secondAt = next.thirdAt;
  takeThird(next, us, at);
}

function takeSecond(next: NextLeastRoundTrips, us: number, at: number): void {
  next.second = us;
  next.secondAt = at;
  takeThird(next, us, at);
}

function takeThird(next: NextLeastRoundTrips, us: number, at: number): void {
  next.third = us;
  next.thirdAt = at;
}
