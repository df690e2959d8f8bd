/**
 * forward: what is opened to addresses that are nobody's on a link that accepts any, is answered as a callback decides, which may take its time: a VPN first
 * dials the real destination.
 */
import { checkNames, shown } from '../arguments.ts';
import { ECONNABORTED, ECONNRESET } from '../socket/errno.ts';
import { acceptPending, type PendingAccept } from '../socket/pending-accept.ts';
import type { Socket } from '../socket/socket.ts';
import { type PendingSyn, PendingSyns, type WithdrawReason } from '../stack/pending-syns.ts';
import { type Closable, Descriptor } from './descriptor.ts';
import { Errno, errClosed, errTimeout, SyscallError } from './errors.ts';
import { checkKeepAliveOptions, type KeepAliveOptions, setUpConnection } from './keep-alive.ts';
import { asError, type Net } from './net.ts';
import { OpError } from './op-error.ts';
import { TCPAddr } from './tcp-addr.ts';
import { TCPConn } from './tcp-conn.ts';

export interface ForwardOptions extends KeepAliveOptions {
  /** SYNs that may be undecided at a time, 1 or more; what comes beyond is dropped. Default: 1024. */
  readonly limit?: number | undefined;
  /** How long a decision may take, ms; then the SYN is dropped and `syn.signal` aborted. Default: 30,000. */
  readonly timeout?: number | undefined;
  /** Told what the callback threw, or rejected with. Default: it stays an unhandled rejection. */
  readonly onError?: ((error: unknown, syn: ForwardedSyn) => void) | undefined;
}

/**
 * Decides about a SYN by calling one of its methods, at once or later. When it ends (or its promise does) without that, or with an error, the SYN is refused;
 * with an error after `accept`, the connection is reset.
 */
export type ForwardCallback = (syn: ForwardedSyn) => unknown;

const OPTIONS: readonly (keyof ForwardOptions)[] = ['limit', 'timeout', 'onError', 'keepAlive', 'keepAliveConfig'];
const LIMIT = 1024;
const TIMEOUT = 30_000;

/**
 * @throws TypeError, RangeError for wrong options
 * @throws Error when the host has a forwarder already
 */
export function forward(net: Net, decide: ForwardCallback, options: ForwardOptions = {}): Forwarder {
  if (typeof decide !== 'function') throw new TypeError('forward: the first argument must be a function of a SYN');
  checkNames('forward', options, OPTIONS);
  const { limit = LIMIT, timeout = TIMEOUT, onError } = options;
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`forward: limit must be an integer >= 1, got ${shown(limit)}`);
  if (typeof timeout !== 'number' || !(timeout > 0 && timeout < Infinity))
    throw new RangeError(`forward: timeout must be a number of ms > 0, got ${shown(timeout)}`);
  if (onError !== undefined && typeof onError !== 'function')
    throw new TypeError('forward: onError must be a function of an error and a SYN');
  checkKeepAliveOptions('forward', options);
  if (net.stack.pendingSyns !== undefined) throw new Error('forward: the host has a forwarder already; close it first');
  return new Forwarder(net, decide, { ...options, limit, timeout });
}

type SetOptions = ForwardOptions & { readonly limit: number; readonly timeout: number };

/** What `host.forward` gives: it asks until it is closed. While it is open it keeps the process alive. */
export class Forwarder implements Closable {
  readonly #net: Net;
  readonly #decide: ForwardCallback;
  readonly #options: SetOptions;
  readonly #pending: PendingSyns;
  readonly #syns = new Map<PendingSyn, ForwardedSyn>();
  readonly #handshakes = new Map<PendingAccept, (reason: Error) => void>();
  #closed = false;
  #holding = true;

  /** For `forward` alone. */
  constructor(net: Net, decide: ForwardCallback, options: SetOptions) {
    this.#net = net;
    this.#decide = decide;
    this.#options = options;
    const { limit, timeout } = options;
    this.#pending = new PendingSyns(net.stack, {
      limit,
      timeout,
      asked: (syn) => this.#asked(syn),
      withdrawn: (syn, reason) => this.#withdrawn(syn, reason),
    });
    net.stack.pendingSyns = this.#pending;
    net.open.add(this);
    net.stack.clock.hold();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** SYNs that are undecided. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Asks no more: what is undecided is dropped and its signal aborted, handshakes that are not over fail; connections stay. The second time does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.unref();
    this.#net.open.delete(this);
    this.#net.stack.pendingSyns = undefined;
    this.#pending.close();
    for (const [handshake, reject] of this.#handshakes) {
      handshake.cancel();
      reject(errClosed);
    }
    this.#handshakes.clear();
  }

  /** Keeps the process alive again. */
  ref(): this {
    if (!this.#holding && !this.#closed) this.#net.stack.clock.hold();
    this.#holding = !this.#closed;
    return this;
  }

  /** Does not keep the process alive. */
  unref(): this {
    if (this.#holding) this.#net.stack.clock.unhold();
    this.#holding = false;
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #asked(pending: PendingSyn): void {
    const syn = new ForwardedSyn(pending, this.#net.stack.clock.wallNow(), {
      accept: () => this.#accept(pending),
      refuse: () => {
        if (this.#syns.delete(pending)) this.#pending.refuse(pending);
      },
      drop: () => {
        if (this.#syns.delete(pending)) this.#pending.drop(pending);
      },
    });
    this.#syns.set(pending, syn);
    // Not from inside the stack's loop.
    void this.#run(syn);
  }

  async #run(syn: ForwardedSyn): Promise<void> {
    await undefined;
    try {
      await this.#decide(syn);
    } catch (error) {
      // What ends for the sake of the signal has done as it should.
      if (syn.signal.aborted) return;
      const { onError } = this.#options;
      syn.giveUp();
      if (onError === undefined) throw error;
      onError(error, syn);
    }
    syn.refuse();
  }

  #withdrawn(pending: PendingSyn, reason: WithdrawReason): void {
    const syn = this.#syns.get(pending);
    this.#syns.delete(pending);
    syn?.abort(reason === 'reset' ? new Errno(ECONNRESET) : reason === 'expired' ? errTimeout : errClosed);
  }

  #accept(syn: PendingSyn): Promise<TCPConn> {
    this.#syns.delete(syn);
    const aborted = new SyscallError('accept4', ECONNABORTED);
    return new Promise((resolve, reject) => {
      const handshake = acceptPending(this.#net.stack, this.#pending, syn, (socket) => {
        this.#handshakes.delete(handshake as PendingAccept);
        if (socket === undefined) reject(aborted);
        else resolve(this.#connection(socket));
      });
      if (handshake === undefined) reject(aborted);
      else this.#handshakes.set(handshake, reject);
    });
  }

  #connection(socket: Socket): TCPConn {
    setUpConnection(socket, this.#options);
    return new TCPConn(new Descriptor(socket, this.#net.stack.clock, this.#net.open));
  }
}

interface Answers {
  accept(): Promise<TCPConn>;
  refuse(): void;
  drop(): void;
}

/** A SYN that waits for its answer: call `accept`, `refuse` or `drop`; the first call counts. */
export class ForwardedSyn {
  /** Where the peer wants to go: an address that is nobody's here, and the port. */
  readonly local: TCPAddr;
  /** Who asks. */
  readonly remote: TCPAddr;
  /** The name of the interface that it came in on. */
  readonly interface: string;
  /** When it came, ms since 1970-01-01 UTC on the host's clock. */
  readonly time: number;
  readonly #answers: Answers;
  readonly #controller = new AbortController();
  #decided = false;
  #accepted: TCPConn | undefined;

  /** For Forwarder alone. */
  constructor(pending: PendingSyn, time: number, answers: Answers) {
    this.local = new TCPAddr(pending.local, pending.localPort);
    this.remote = new TCPAddr(pending.remote, pending.remotePort);
    this.interface = pending.from.name;
    this.time = time;
    this.#answers = answers;
  }

  /** Aborted when no answer is wanted any more: the peer took the SYN back with a RST, the time was up, or the forwarder closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was answered, or needs no answer any more. */
  get decided(): boolean {
    return this.#decided;
  }

  /**
   * Answers with a SYN-ACK. @returns the connection, whose `localAddr` is where the peer wanted to go, once the handshake is done
   * @throws OpError `accept` (as a rejection): the peer is gone (ECONNABORTED), or it was decided already
   */
  async accept(): Promise<TCPConn> {
    try {
      if (this.signal.aborted) throw asError(this.signal.reason);
      if (this.#decided) throw errClosed;
      this.#decided = true;
      this.#accepted = await this.#answers.accept();
      return this.#accepted;
    } catch (error) {
      throw new OpError('accept', 'tcp', undefined, this.local, asError(error));
    }
  }

  /** Answers with a RST: the peer's connect fails with ECONNREFUSED. */
  refuse(): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#answers.refuse();
  }

  /** Does not answer. A SYN that the peer sends again is asked about again. */
  drop(): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#answers.drop();
  }

  /** For Forwarder: nobody looks after it any more. */
  giveUp(): void {
    this.refuse();
    try {
      this.#accepted?.setLinger(0);
      this.#accepted?.close();
    } catch {
      // Its user has closed it.
    }
  }

  /** For Forwarder. */
  abort(reason: Error): void {
    this.#decided = true;
    this.#controller.abort(reason);
  }
}
