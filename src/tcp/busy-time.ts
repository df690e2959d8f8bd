/**
 * What a connection with something to send waits for, and how long: tcpi_busy_time, tcpi_rwnd_limited and tcpi_sndbuf_limited, as Linux
 * counts them. One of the three runs at a time, the last in this list that holds.
 */
import type { ControlBlock } from './control-block.ts';

/** Nothing is unsent or unacknowledged. */
const IDLE = 0;
/** Something is. */
const BUSY = 1;
/** And the peer's window has no room. */
const RWND_LIMITED = 2;
/** And everything is sent, and the user would write more if the buffer had room. */
const SNDBUF_LIMITED = 3;

export class BusyTime {
  state = IDLE;
  /** When the state was entered, ms. */
  since = 0;
  /** Microseconds in each state. */
  readonly spent: [number, number, number, number] = [0, 0, 0, 0];

  set(state: number, now: number): void {
    if (state === this.state) return;
    this.spent[this.state] = (this.spent[this.state] as number) + Math.round((now - this.since) * 1000);
    this.state = state;
    this.since = now;
  }

  /** Microseconds in a state until now. */
  in(state: number, now: number): number {
    const running = state === this.state ? Math.round((now - this.since) * 1000) : 0;
    return (this.spent[state] as number) + running;
  }
}

/** Something is queued. */
export function startBusy(connection: ControlBlock, now: number): void {
  connection.busyTime ??= new BusyTime();
  if (connection.busyTime.state === IDLE) connection.busyTime.set(BUSY, now);
}

/** After an acknowledgment: everything may be acknowledged. */
export function endBusy(connection: ControlBlock, now: number): void {
  if (connection.sndUna === connection.sendEnd) connection.busyTime?.set(IDLE, now);
}

/** After output: whether the peer's window was what held it back. */
export function noteWindowLimit({ busyTime }: ControlBlock, limited: boolean, now: number): void {
  if (busyTime === undefined || busyTime.state === IDLE) return;
  if (limited && busyTime.state < RWND_LIMITED) busyTime.set(RWND_LIMITED, now);
  else if (!limited && busyTime.state === RWND_LIMITED) busyTime.set(BUSY, now);
}

/** After output: everything is sent, and the user was told that the buffer is full. */
export function noteBufferLimit({ busyTime }: ControlBlock, limited: boolean, now: number): void {
  if (busyTime === undefined || busyTime.state === IDLE) return;
  if (limited) busyTime.set(SNDBUF_LIMITED, now);
  else if (busyTime.state === SNDBUF_LIMITED) busyTime.set(BUSY, now);
}

/** Microseconds, for TCP_INFO: busy at all, and of that limited by the peer's window, and by the send buffer. */
export function busyTimes({ busyTime }: ControlBlock, now: number): readonly [number, number, number] {
  if (busyTime === undefined) return [0, 0, 0];
  const [window, buffer] = [busyTime.in(RWND_LIMITED, now), busyTime.in(SNDBUF_LIMITED, now)];
  return [busyTime.in(BUSY, now) + window + buffer, window, buffer];
}
