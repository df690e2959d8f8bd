/** A socket with the calls that wait on it: what connections and listeners are made of. */
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP } from '../socket/constants.ts';
import type { Watcher } from '../socket/poll.ts';
import type { Socket } from '../socket/socket.ts';
import type { Clock } from '../time/clock.ts';
import { errClosed } from './errors.ts';
import { WaitQueue } from './wait-queue.ts';

const READABLE = POLLIN | POLLRDHUP | POLLHUP | POLLERR;
const WRITABLE = POLLOUT | POLLHUP | POLLERR;

/** What a host keeps of the things on it that are open, so that it can close them. */
export interface Closable {
  readonly isClosed: boolean;
  close(): void;
}

/** A socket of any kind, as what waits on it sees it. */
export interface Watched {
  watcher: Watcher | undefined;
  close(): number;
}

export class Descriptor<S extends Watched = Socket> implements Closable, Watcher {
  readonly socket: S;
  readonly clock: Clock;
  /** Reads or accepts. */
  readonly reads: WaitQueue;
  /** Writes, or the connect. */
  readonly writes: WaitQueue;
  readonly #open: Set<Closable>;
  #closed = false;

  /** `open`: where it enters itself until it is closed. */
  constructor(socket: S, clock: Clock, open: Set<Closable>) {
    this.socket = socket;
    this.clock = clock;
    this.reads = new WaitQueue(clock);
    this.writes = new WaitQueue(clock);
    this.#open = open;
    open.add(this);
    socket.watcher = this;
  }

  /** For the socket. */
  onReady(mask: number): void {
    if ((mask & READABLE) !== 0) this.reads.ready();
    if ((mask & WRITABLE) !== 0) this.writes.ready();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Closes the socket and fails what waits; the second time does nothing. Returns 0 or -errno. */
  close(): number {
    if (this.#closed) return 0;
    this.#closed = true;
    this.#open.delete(this);
    this.socket.watcher = undefined;
    const result = this.socket.close();
    this.reads.failAll(errClosed);
    this.writes.failAll(errClosed);
    return result;
  }
}
