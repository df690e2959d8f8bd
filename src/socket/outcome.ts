/** What the user of a socket has been told of its connection: that it is there, what it ended with. */
import { REASON_NONE } from '../tcp/close-reason.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import { TIME_WAIT } from '../tcp/state.ts';
import { EALREADY, EISCONN } from './errno.ts';
import { errnoOf } from './reason-errno.ts';

export class Outcome {
  /** The user was told the outcome of connect. */
  connected = false;
  /** The user has ended the connection, and may make another. */
  disconnected = false;
  /** The reason of the connection's end has been reported. */
  #errorTaken = false;

  /** The connection's error, which nobody was told yet; 0: none. */
  pending(connection: ControlBlock | undefined): number {
    if (connection === undefined || this.#errorTaken || connection.reason === REASON_NONE) return 0;
    return errnoOf(connection.reason);
  }

  /** As `pending`, once. */
  take(connection: ControlBlock | undefined): number {
    const errno = this.pending(connection);
    if (errno !== 0) this.#errorTaken = true;
    return errno;
  }

  /** A second connect: what became of the first. @returns undefined when a new attempt may start: it begins with a clean slate */
  again(connection: ControlBlock): number | undefined {
    if (connection.opening) return connection.fastOpen?.deferred === true ? -EISCONN : -EALREADY;
    if (this.disconnected) return this.#startAnew();
    if (!connection.released || connection.state === TIME_WAIT) {
      if (this.connected) return -EISCONN;
      this.connected = true;
      return 0;
    }
    // Linux: what it ended with is for those who read, write or ask.
    if (this.connected) return -EISCONN;
    const error = this.take(connection);
    if (error === 0) return this.#startAnew();
    // Linux: who was told has to do with it no more.
    this.disconnected = true;
    return -error;
  }

  #startAnew(): undefined {
    this.#errorTaken = false;
    this.connected = false;
    this.disconnected = false;
  }
}
