/** What the user of a socket has been told of its connection: that it is there, what it ended with. */
import { REASON_NONE } from '../tcp/close-reason.ts';
import type { ControlBlock } from '../tcp/control-block.ts';
import type { IcmpReport } from '../tcp/icmp-error.ts';
import { TIME_WAIT } from '../tcp/state.ts';
import { EAGAIN, EALREADY, EFAULT, EISCONN } from './errno.ts';
import { messageOf } from './error-queue.ts';
import { areMemory } from './memory.ts';
import { errnoOf } from './reason-errno.ts';
import type { ReceivedMessage } from './receiving.ts';

export class Outcome {
  /** The user was told the outcome of connect. */
  connected = false;
  /** The user has ended the connection, and may make another. */
  disconnected = false;
  /** The reason of the connection's end has been reported. */
  #errorTaken = false;

  /** What ICMP said of a connection that goes on, REASON_...: IP_RECVERR. */
  #warning = REASON_NONE;
  /** For MSG_ERRQUEUE: what ended an attempt to connect. */
  reports: IcmpReport[] | undefined;

  /** ICMP said so: it has ended an attempt to connect, with a report, or nothing. */
  warned(reason: number, report: IcmpReport | undefined): void {
    if (report === undefined) {
      this.#warning = reason;
      return;
    }
    this.reports ??= [];
    this.reports.push(report);
  }

  /** MSG_ERRQUEUE. Linux: who has read what it was has been told. @returns it, or -EAGAIN, -EFAULT */
  takeReport(connection: ControlBlock | undefined, list: readonly Uint8Array[]): ReceivedMessage | number {
    if (!areMemory(list)) return -EFAULT;
    const report = this.reports?.shift();
    if (report === undefined) return -EAGAIN;
    this.take(connection);
    return messageOf(report, list);
  }

  /** There is an error, or a report, that nobody was told yet: POLLERR. */
  hasFailed(connection: ControlBlock | undefined): boolean {
    return this.pending(connection) !== 0 || (this.reports !== undefined && this.reports.length > 0);
  }

  /** The connection's error, which nobody was told yet; 0: none. */
  pending(connection: ControlBlock | undefined): number {
    if (this.#warning !== REASON_NONE) return errnoOf(this.#warning);
    if (connection === undefined || this.#errorTaken || connection.reason === REASON_NONE) return 0;
    return errnoOf(connection.reason);
  }

  /** As `pending`, once. */
  take(connection: ControlBlock | undefined): number {
    const errno = this.pending(connection);
    if (this.#warning !== REASON_NONE) this.#warning = REASON_NONE;
    else if (errno !== 0) this.#errorTaken = true;
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
