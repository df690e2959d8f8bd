/** How many connections of a listener may be open before their handshake is over: RFC 7413 5.1 and 4.2 (PendingFastOpenRequests). */

/** A connection that was accepted and then reset keeps its place so long, ms: SYNs with a forged source leave such. Linux's time. */
const RESET_HOLD = 60_000;

export class FastOpenQueue {
  most: number;
  /** The listener is no more. */
  closed = false;
  #length = 0;
  /** When places of connections that were reset become free, ms, in order. */
  readonly #resets: number[] = [];

  constructor(most: number) {
    this.most = most;
  }

  /** Places taken. */
  get length(): number {
    return this.#length;
  }

  /** Whether there is room for one more; the oldest place of a connection that was reset is given away when it is time. */
  admits(now: number): boolean {
    if (this.#length < this.most) return true;
    const [freeAt] = this.#resets;
    if (freeAt === undefined || freeAt > now) return false;
    this.#resets.shift();
    this.#length--;
    return true;
  }

  enter(): void {
    this.#length++;
  }

  leave(): void {
    this.#length--;
  }

  /** RFC 7413 5.1: in place of `leave`, for a connection that was reset after its user had got it. */
  leaveReset(now: number): void {
    this.#resets.push(now + RESET_HOLD);
  }
}
