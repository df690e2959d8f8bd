/**
 * BSD sockets over TCP: POSIX's calls, never waiting. A call returns its result, or a negated errno; readiness is told through
 * `onReady`. Semantics are Linux's where POSIX leaves them open.
 */
import type { Stack } from '../stack/stack.ts';
import { abortCall, close, closeSend, uncork } from '../tcp/calls.ts';
import { REASON_RESET } from '../tcp/close-reason.ts';
import type { ConnectionUser, ControlBlock } from '../tcp/control-block.ts';
import { enterPingpong } from '../tcp/delayed-ack.ts';
import { openByConnect, openWithData } from '../tcp/fast-open-calls.ts';
import { CLIENT_ENABLE } from '../tcp/fast-open-host.ts';
import type { IcmpReport } from '../tcp/icmp-error.ts';
import { Listener } from '../tcp/listener.ts';
import { abort } from '../tcp/release.ts';
import { TcpSettings } from '../tcp/settings.ts';
import { CLOSE_WAIT, CLOSED, ESTABLISHED, LISTEN, TIME_WAIT } from '../tcp/state.ts';
import { MSG_FASTOPEN, MSG_OOB, POLLERR, POLLHUP, POLLOUT, SHUT_RD, SHUT_RDWR, SHUT_WR } from './constants.ts';
import type { Epoll } from './epoll.ts';
import {
  EADDRINUSE,
  EAGAIN,
  EBADF,
  ECONNABORTED,
  EFAULT,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETDOWN,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
} from './errno.ts';
import { asksForErrors, lengthOf } from './error-queue.ts';
import { ioctl } from './ioctl.ts';
import { bindingChanged, makeBinding, type OwnBinding } from './make-binding.ts';
import { makeConnection } from './make-connection.ts';
import { areMemory } from './memory.ts';
import type { Linger, OptionResult, OptionValue } from './option-value.ts';
import { getOption, setOption } from './options.ts';
import { Outcome } from './outcome.ts';
import { pollConnection, pollListener, type Watcher } from './poll.ts';
import { type ReceivedMessage, receiveBytes, receiveMessage } from './receiving.ts';
import { SEND_FLAGS, sendBytes, sendList } from './sending.ts';
import { anyAddress, localName, peerName, type SocketAddress } from './socket-address.ts';

export type { SocketAddress };

/** One for all who have set none. */
const NO_LINGER: Linger = { onoff: 0, linger: 0 };

export class Socket implements ConnectionUser {
  readonly stack: Stack;
  /** AF_INET or AF_INET6; IPV6_ADDRFORM makes the former of the latter. */
  domain: number;
  /** What the connection runs with; options change it. */
  readonly settings: TcpSettings;
  linger = NO_LINGER;
  reuseAddress = false;
  /** An object, so that a watcher with state of its own needs no closure. */
  watcher: Watcher | undefined;
  /** For `Epoll` alone. */
  pollers: Set<Epoll> | undefined;
  /** Once connect was called, or accept gave it. */
  connection: ControlBlock | undefined;
  #listener: Listener | undefined;
  #binding: OwnBinding | undefined;
  readonly #outcome = new Outcome();
  #closed = false;

  /** For `createSocket` and `accept`. */
  constructor(stack: Stack, domain: number, connection?: ControlBlock) {
    this.stack = stack;
    this.domain = domain;
    this.settings = connection?.settings ?? new TcpSettings(stack.sysctl);
    if (connection === undefined) return;
    this.connection = connection;
    this.#outcome.connected = true;
    connection.user = this;
  }

  /**
   * Told, at most once per batch, that readiness may have changed; the mask is `poll()`'s. Called from inside the stack's loop: it
   * must not throw; calls on sockets are allowed.
   */
  get onReady(): ((mask: number) => void) | undefined {
    return this.watcher?.onReady;
  }

  set onReady(told: ((mask: number) => void) | undefined) {
    this.watcher = told === undefined ? undefined : { onReady: told };
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** bind(2). RFC 9293 3.9.1.1 [MUST-43]: the local address is the user's to give. @returns 0, -EINVAL (bound already), -EADDRNOTAVAIL (not an address of the host), -EADDRINUSE, -EAFNOSUPPORT, -EBADF */
  bind(at: SocketAddress): number {
    return this.#closed ? -EBADF : this.#bind(at, false);
  }

  /**
   * listen(2). `backlog` is bounded by somaxconn; unbound sockets get a port. RFC 9293 3.9.1.1 [MUST-41], [MUST-42]: connections of the
   * same port are neither in its way nor touched. @returns 0, -EINVAL (connected), -EADDRINUSE, -ENETDOWN (the host is closed), -EBADF
   */
  listen(backlog: number): number {
    if (this.#closed) return -EBADF;
    if (this.#outcome.disconnected && this.connection !== undefined) this.#connectAgain(this.connection);
    if (this.connection !== undefined) return -EINVAL;
    const bound = Math.min(Math.max(backlog | 0, 0), this.stack.sysctl.somaxconn);
    if (this.#listener !== undefined) {
      this.#listener.backlog = bound;
      this.#listener.setFastOpen();
      return 0;
    }
    if (!this.isBound) {
      const result = this.#bind({ address: this.#binding?.address ?? anyAddress(this.domain), port: 0 }, true);
      if (result < 0) return result;
    }
    const binding = this.#binding as OwnBinding;
    if (this.stack.closed) return -ENETDOWN;
    if (!this.stack.ports.mayListen(binding)) return -EADDRINUSE;
    binding.listening = true;
    this.#listener = new Listener(this.stack.tcp, binding.address, binding.port, this.settings, bound);
    this.#listener.user = this;
    this.stack.demux.addListener(this.#listener);
    return 0;
  }

  /** accept(2): a connection whose handshake is done. @returns it, or -EAGAIN, -EINVAL (not listening), -ECONNABORTED, -ENETDOWN (the host is closed), -EBADF */
  accept(): Socket | number {
    if (this.#closed) return -EBADF;
    if (this.#listener === undefined) return -EINVAL;
    const next = this.#listener.take();
    if (next === undefined) return this.#listener.closed ? -ENETDOWN : -EAGAIN;
    if (next === 'aborted') return -ECONNABORTED;
    const accepted = new Socket(this.stack, this.domain, next);
    // Linux: these are inherited, as what lies in the settings is.
    return Object.assign(accepted, { linger: this.linger, reuseAddress: this.reuseAddress });
  }

  /**
   * connect(2): the outcome comes as readiness (POLLOUT, or POLLERR and SO_ERROR).
   * @returns -EINPROGRESS at first; -EALREADY, -EISCONN, 0 (it is there now), -EADDRNOTAVAIL (no port left, or the pair is taken), -ENETUNREACH, -EHOSTUNREACH, -EACCES,
   *   -EAFNOSUPPORT, -EINVAL, -EOPNOTSUPP (listening), -EKEYREJECTED (its keys do not say how to speak to that peer), or what the attempt failed with
   */
  connect(to: SocketAddress): number {
    if (this.#closed) return -EBADF;
    if (this.#listener !== undefined) return -EOPNOTSUPP;
    const { connection } = this;
    if (connection !== undefined) {
      const again = this.#connectAgain(connection);
      if (again !== undefined) return again;
    }
    const made = makeConnection(this, this.#binding, to);
    if (typeof made === 'number') return made;
    return openByConnect(made, this.stack.clock.now()) ? -EINPROGRESS : 0;
  }

  /** connect(2) to AF_UNSPEC: ends the connection with a RST; the socket may connect again. @returns 0, -EOPNOTSUPP (listening), -EBADF */
  disconnect(): number {
    if (this.#closed) return -EBADF;
    if (this.#listener !== undefined) return -EOPNOTSUPP;
    const { connection } = this;
    if (connection === undefined) return 0;
    connection.receiveQueue.clear();
    connection.urgent = undefined;
    this.stack.tcp.markReady(connection);
    abort(connection, REASON_RESET, this.stack.clock.now());
    this.#outcome.disconnected = true;
    this.#freePlace();
    this.stack.wake();
    return 0;
  }

  /**
   * send(2), and sendto(2) with `to`: that counts with MSG_FASTOPEN, which connects to it, with data in the SYN where RFC 7413 allows.
   * @returns how many bytes were taken (copied), -EAGAIN, -EPIPE, -ENOTCONN, -EBADF, -EOPNOTSUPP (flags; tcp_fastopen), or the connection's
   *   error once; with MSG_FASTOPEN also what connect returns: -EINPROGRESS says that the SYN has taken nothing
   */
  send(bytes: Uint8Array, flags = 0, to?: SocketAddress): number {
    const fast = this.#sendFast([bytes], flags, to);
    if (fast !== undefined) return fast;
    const connection = this.#sender(flags);
    if (typeof connection === 'number') return connection;
    if (bytes.length === 0) return 0;
    return sendBytes(connection, bytes, flags, this.stack.clock.now()) || -EAGAIN;
  }

  /** sendmsg(2): the buffers one after the other, as one write. Results as `send`. */
  sendv(list: readonly Uint8Array[], flags = 0, to?: SocketAddress): number {
    const fast = this.#sendFast(list, flags, to);
    if (fast !== undefined) return fast;
    const connection = this.#sender(flags);
    if (typeof connection === 'number') return connection;
    return sendList(connection, list, flags, this.stack.clock.now());
  }

  /** recv(2). RFC 9293 3.6.1 [MAY-1]: not after close. @returns bytes copied, 0 at the end of the stream, -EAGAIN, -ENOTCONN, -EBADF, -EOPNOTSUPP (flags), or the connection's error once */
  recv(into: Uint8Array, flags = 0): number {
    if (this.#closed) return -EBADF;
    const { connection } = this;
    if (asksForErrors(flags)) return lengthOf(this.#outcome.takeReport(connection, [into]));
    if (connection === undefined) return -ENOTCONN;
    const got = receiveBytes(connection, into, flags, this.stack.clock.now());
    if (got !== 0 || (flags & MSG_OOB) !== 0) return got;
    // Linux: who wants nothing waits for something all the same.
    if (into.length === 0 && connection.receiveQueue.length > 0) return 0;
    // Behind a FIN there is nothing but the end of the stream: an error is for those who write, or ask (Linux).
    if (connection.finReceived && !this.#outcome.disconnected) return 0;
    const error = this.takeError();
    if (error !== 0) return -error;
    if (this.#outcome.disconnected) return -ENOTCONN;
    return connection.receiveShut || connection.released ? 0 : -EAGAIN;
  }

  /** recvmsg(2): one buffer after the other, and what the control messages say. Errors as `recv`. */
  recvmsg(list: readonly Uint8Array[], flags = 0): ReceivedMessage | number {
    if (asksForErrors(flags) && !this.#closed) return this.#outcome.takeReport(this.connection, list);
    return receiveMessage(this, list, flags);
  }

  /** shutdown(2). @returns 0, -ENOTCONN, -EINVAL, -EBADF */
  shutdown(how: number): number {
    if (this.#closed) return -EBADF;
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -EINVAL;
    const { connection } = this;
    if (connection === undefined) return -ENOTCONN;
    // Linux: who waits is woken, whatever comes of it.
    this.stack.tcp.markReady(connection);
    if ((connection.state & (CLOSED | LISTEN | TIME_WAIT)) !== 0) return -ENOTCONN;
    // Linux: who shuts down has seen that it is connected.
    if (!connection.opening) this.#outcome.connected = true;
    if (how !== SHUT_RD) closeSend(connection, this.stack.clock.now());
    if (how !== SHUT_WR) connection.receiveShut = true;
    return 0;
  }

  /**
   * close(2): never waits, nor with SO_LINGER and a time: that is the caller's to wait, for nothing differs on the wire. Unsent data and the
   * FIN go out behind it, unless data was unread or SO_LINGER is on with 0 seconds: then the peer gets a RST. @returns 0 or -EBADF
   */
  close(): number {
    if (this.#closed) return -EBADF;
    this.#closed = true;
    this.watcher = undefined;
    if (this.pollers !== undefined) for (const poller of this.pollers) poller.forget(this);
    this.stack.wake();
    const now = this.stack.clock.now();
    if (this.#binding !== undefined) this.stack.ports.remove(this.#binding);
    if (this.#listener !== undefined) {
      this.stack.demux.removeListener(this.#listener);
      this.#listener.close(now);
    }
    const { connection } = this;
    if (connection === undefined) return 0;
    const abrupt = this.linger.onoff !== 0 && this.linger.linger === 0;
    if (abrupt && !connection.released && connection.receiveQueue.length === 0) {
      // Linux counts it so; its TCPAbortOnLinger is about TCP_LINGER2.
      this.stack.tcp.counters.TCPAbortOnData++;
      abortCall(connection, now);
    } else {
      close(connection, now);
    }
    return 0;
  }

  /** getsockname(2). */
  getsockname(): SocketAddress | number {
    return this.#closed ? -EBADF : localName(this.domain, this.connection, this.#binding, this.#outcome.disconnected);
  }

  /** getpeername(2). @returns it, -ENOTCONN or -EBADF */
  getpeername(): SocketAddress | number {
    return this.#closed ? -EBADF : peerName(this.connection);
  }

  /** The other end as accept(2) tells it: of a connection that is over already, too. */
  get peer(): SocketAddress | undefined {
    return this.connection && { address: this.connection.remote, port: this.connection.remotePort };
  }

  /** setsockopt(2). @returns 0, -ENOPROTOOPT, -EINVAL, -ENOENT (no such congestion control, or key), -EBADF; for keys see docs/api.md */
  setsockopt(level: number, option: number, value: OptionValue): number {
    return this.#closed ? -EBADF : setOption(this, level, option, value);
  }

  /** getsockopt(2). @returns the value, or -ENOPROTOOPT, -EINVAL, -EBADF */
  getsockopt(level: number, option: number): OptionResult {
    return this.#closed ? -EBADF : getOption(this, level, option);
  }

  /** close was called. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** ioctl(2): SIOCINQ, SIOCOUTQ, SIOCOUTQNSD. @returns bytes, -EINVAL, -EBADF */
  ioctl(request: number): number {
    return this.#closed ? -EBADF : ioctl(this, request);
  }

  /** poll(2): what is ready now. */
  poll(): number {
    if (this.#closed) return 0;
    if (this.#listener !== undefined) return pollListener(this.#listener);
    const { connection } = this;
    const failed = this.#outcome.hasFailed(connection);
    // Linux: what was disconnected is as what never was connected.
    if (connection === undefined || this.#outcome.disconnected) return POLLOUT | POLLHUP | (failed ? POLLERR : 0);
    return pollConnection(connection, failed);
  }

  /** For TCP. */
  warned(reason: number, report?: IcmpReport): void {
    this.#outcome.warned(reason, report);
  }

  /** IP_RECVERR is off: Linux forgets what MSG_ERRQUEUE would give. */
  forgetReports(): void {
    this.#outcome.reports = undefined;
  }

  /** SO_ERROR: the connection's error, once; 0: none. */
  takeError(): number {
    return this.#outcome.take(this.connection);
  }

  /** What the user held back may leave: TCP_NODELAY on, TCP_CORK off. */
  push(): void {
    if (this.connection !== undefined) uncork(this.connection);
  }

  /** A call waits to write: the acknowledgment of the SYN-ACK goes with its data, as on Linux. */
  awaitWrite(): void {
    if (this.connection?.opening === true) enterPingpong(this.connection);
  }

  /** It has a port. */
  get isBound(): boolean {
    return (this.#binding !== undefined && this.#binding.port !== 0) || this.connection !== undefined;
  }

  /** For SO_REUSEADDR, SO_REUSEPORT and SO_BINDTODEVICE: what they say now counts for those who come (Linux). */
  bindingChanged(): void {
    if (this.#binding !== undefined) bindingChanged(this, this.#binding);
  }

  /** For the options of Fast Open. */
  fastOpenChanged(): void {
    this.#listener?.setFastOpen();
  }

  /** For the stack: something changed. */
  ready(): void {
    this.watcher?.onReady(this.poll());
    if (this.pollers !== undefined) for (const poller of this.pollers) poller.changed(this);
  }

  #bind(at: SocketAddress, listens: boolean): number {
    const binding = makeBinding(this, at, listens);
    if (typeof binding === 'number') {
      // Linux: an address without a port yet is given up for one that cannot be had.
      if (binding === -EADDRINUSE) this.#binding = undefined;
      return binding;
    }
    this.#binding = binding;
    // IP_BIND_ADDRESS_NO_PORT: it has none yet.
    if (binding.port !== 0) this.stack.ports.add(binding);
    return 0;
  }

  /** The connection, which had narrowed an any-address to its own, is gone. */
  #freePlace(): void {
    if (this.#binding !== undefined) this.#binding.connectedAt = undefined;
  }

  /** A second connect. @returns what became of the first; undefined: a new attempt may start */
  #connectAgain(connection: ControlBlock): number | undefined {
    const again = this.#outcome.again(connection);
    if (again === undefined) {
      this.connection = undefined;
      this.#freePlace();
    }
    return again;
  }

  /** MSG_FASTOPEN, or the first write after a connect that was left to it. @returns undefined: it is a write like any other */
  #sendFast(list: readonly Uint8Array[], flags: number, to: SocketAddress | undefined): number | undefined {
    if (!areMemory(list)) return this.#closed ? -EBADF : -EFAULT;
    let { connection } = this;
    // A connect that was shut down before its SYN went is over.
    const deferred = connection?.released === false && connection.fastOpen?.deferred === true;
    if (this.#closed || (flags & ~SEND_FLAGS) !== 0 || (!deferred && (flags & MSG_FASTOPEN) === 0)) return undefined;
    if ((this.stack.sysctl.tcp_fastopen & CLIENT_ENABLE) === 0) return -EOPNOTSUPP;
    if (!deferred) {
      if (this.#listener !== undefined) return -EISCONN;
      const again = connection === undefined ? undefined : this.#connectAgain(connection);
      if (again !== undefined) return again === 0 ? undefined : again;
      const made = to === undefined ? -EINVAL : makeConnection(this, this.#binding, to);
      if (typeof made === 'number') return made;
      connection = made;
    }
    return openWithData(connection as ControlBlock, list, this.stack.clock.now()) || -EINPROGRESS;
  }

  /** The connection that may take bytes, or why not. */
  #sender(flags: number): ControlBlock | number {
    if (this.#closed) return -EBADF;
    if ((flags & ~SEND_FLAGS) !== 0) return -EOPNOTSUPP;
    const { connection } = this;
    if (connection === undefined) return -EPIPE;
    const error = this.takeError();
    if (error !== 0) return -error;
    if (connection.opening && !connection.finQueued) return -EAGAIN;
    const open = (connection.state & (ESTABLISHED | CLOSE_WAIT)) !== 0 || connection.handshakeOpen;
    if (!open || connection.finQueued) return -EPIPE;
    return connection;
  }
}
