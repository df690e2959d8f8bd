/** Several addresses for one name, one after the other: autoSelectFamily (RFC 8305 without its race: what takes too long is given up). */
import { ETIMEDOUT } from '../../socket/errno.ts';
import type { Timer } from '../../time/clock.ts';
import { attemptError, bindFirst, blockedBy, type Connector, immediateError, type Target } from './connect.ts';
import type { LookedUp } from './lookup.ts';
import { connectionTimeout } from './node-errors.ts';
import type { StreamHandle } from './stream-handle.ts';

type CodedError = Error & { code?: string };

export class ConnectRace {
  readonly #connector: Connector;
  readonly #target: Target;
  readonly #addresses: readonly LookedUp[];
  readonly #timeout: number;
  readonly #errors: CodedError[] = [];
  #tried = 0;
  #timer: Timer | undefined;

  /** @param timeout after which the next address is tried, ms */
  constructor(connector: Connector, target: Target, addresses: readonly LookedUp[], timeout: number) {
    this.#connector = connector;
    this.#target = target;
    this.#addresses = addresses;
    this.#timeout = timeout;
    connector.socket.autoSelectFamilyAttemptedAddresses = [];
  }

  /** Tries the next address; when there is none, it was all in vain. */
  next(): void {
    const { socket } = this.#connector;
    // Aborted before it began to connect, it connects nowhere, though it is a new stream by now.
    if (!socket.connecting || socket._signal?.aborted) return;
    const current = this.#addresses[this.#tried];
    if (current === undefined) {
      socket.destroy(this.#failure());
      return;
    }
    if (this.#tried++ > 0) this.#connector.renew();
    this.#attempt(this.#connector.handle(), current);
  }

  #attempt(handle: StreamHandle, { address, family }: LookedUp): void {
    const { socket } = this.#connector;
    const { port } = this.#target;
    const unbound = bindFirst(handle, this.#target, family);
    if (unbound !== undefined) {
      this.#errors.push(unbound);
      return this.next();
    }
    const blocked = blockedBy(socket, address, family);
    if (blocked !== undefined) return this.#failed(blocked, { address, family });
    socket.emit('connectionAttempt', address, port, family);
    if (!socket.connecting) return;
    socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`);
    const status = handle.connect(address, port, family, (outcome) =>
      this.#settled(handle, outcome, { address, family }),
    );
    if (status < 0) return this.#failed(immediateError(handle, status, this.#target, address), { address, family });
    if (this.#tried === this.#addresses.length) return;
    const { clock } = this.#connector.place;
    this.#timer = clock.timer(() => process.nextTick(() => this.#tooLong(handle, { address, family })));
    this.#timer.set(clock.now() + this.#timeout);
  }

  /** The timer has given an attempt up whose handle is another by now. */
  #settled(handle: StreamHandle, outcome: number, to: LookedUp): void {
    const { socket } = this.#connector;
    this.#timer?.clear();
    if (socket.destroyed || handle !== this.#connector.handle()) return;
    if (outcome === 0) return this.#connector.connected();
    this.#failed(attemptError(outcome, this.#target, to.address), to);
  }

  #failed(error: Error, { address, family }: LookedUp): void {
    this.#errors.push(error);
    this.#connector.socket.emit('connectionAttemptFailed', address, this.#target.port, family, error);
    this.next();
  }

  #tooLong(handle: StreamHandle, { address, family }: LookedUp): void {
    const { socket } = this.#connector;
    if (!socket.connecting || handle !== this.#connector.handle()) return;
    this.#errors.push(attemptError(-ETIMEDOUT, this.#target, address));
    socket.emit('connectionAttemptTimeout', address, this.#target.port, family);
    this.next();
  }

  #failure(): Error {
    if (this.#errors.length === 0) return connectionTimeout();
    return Object.assign(new AggregateError(this.#errors), { code: this.#errors[0]?.code });
  }
}
