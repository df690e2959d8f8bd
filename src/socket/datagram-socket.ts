/**
 * BSD sockets over UDP: POSIX's calls, never waiting. A call returns its result, or a negated errno; readiness is told through
 * `onReady`. Semantics are Linux's where POSIX leaves them open. RFC 768, RFC 1122 4.1.
 */

import type { RoutedPath } from '../stack/routed-path.ts';
import type { Stack } from '../stack/stack.ts';
import { PMTUDISC_DONT, PMTUDISC_WANT } from '../tcp/path.ts';
import { type EndpointUser, UdpEndpoint } from '../udp/endpoint.ts';
import type { QueuedDatagram } from '../udp/queue.ts';
import { IPV4_ANY, IPV6_ANY, IpAddress } from '../wire/address.ts';
import {
  AF_INET6,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SIOCINQ,
  SIOCOUTQ,
} from './constants.ts';
import { bindEndpoint } from './datagram-bind.ts';
import { type DatagramMessage, takeMessage, takeQueuedError } from './datagram-message.ts';
import { familyOf, getDatagramOption, setDatagramOption } from './datagram-options.ts';
import { destination, pathTo, transmit } from './datagram-send.ts';
import { DatagramSettings } from './datagram-settings.ts';
import type { Epoll } from './epoll.ts';
import {
  EAGAIN,
  EBADF,
  EDESTADDRREQ,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENETDOWN,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
} from './errno.ts';
import { areMemory, isAddress } from './memory.ts';
import type { OptionValue } from './option-value.ts';
import type { Watcher } from './poll.ts';
import { errnoOf } from './reason-errno.ts';
import { isPort, type SocketAddress } from './socket-address.ts';

const SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;
const RECV_FLAGS = MSG_PEEK | MSG_TRUNC | MSG_ERRQUEUE | MSG_WAITALL | MSG_DONTWAIT | MSG_NOSIGNAL;
const MOST_BYTES = 65_535;

export class DatagramSocket implements EndpointUser {
  readonly stack: Stack;
  /** AF_INET or AF_INET6. */
  readonly domain: number;
  readonly endpoint: UdpEndpoint;
  readonly settings: DatagramSettings;
  /** An object, so that a watcher with state of its own needs no closure. */
  watcher: Watcher | undefined;
  /** For `Epoll` alone. */
  pollers: Set<Epoll> | undefined;
  /** The way that the last datagram went, and the state of the network that it was found in. */
  path: RoutedPath | undefined;
  pathVersion = 0;
  /** bind named an address, a port: they outlive a disconnect. */
  #addressBound = false;
  #portBound = false;
  /** Where connect found to send from: for who is bound to what many have. */
  #connectedFrom: IpAddress | undefined;
  #readShut = false;
  #writeShut = false;
  #closed = false;
  /** Of the last datagram read. */
  #source: IpAddress = IPV4_ANY;

  /** For `createSocket`. */
  constructor(stack: Stack, domain: number) {
    this.stack = stack;
    this.domain = domain;
    const { rmem_default, ip_no_pmtu_disc } = stack.sysctl;
    const discovery = ip_no_pmtu_disc === 0 ? PMTUDISC_WANT : PMTUDISC_DONT;
    this.endpoint = new UdpEndpoint(familyOf(domain), this.any, stack.udp.pool, rmem_default, discovery, PMTUDISC_WANT);
    this.endpoint.user = this;
    this.settings = new DatagramSettings(stack.sysctl);
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

  /** The unspecified address of its domain. */
  get any(): IpAddress {
    return familyOf(this.domain) === 4 ? IPV4_ANY : IPV6_ANY;
  }

  /** connect(2) was called with an address. */
  get connected(): boolean {
    return this.endpoint.remote !== undefined;
  }

  /**
   * bind(2). @returns 0, -EINVAL (bound already, or a link-local address without a zone), -ENODEV (no such zone), -EADDRNOTAVAIL (not an address
   *   of the host, without IP_FREEBIND), -EADDRINUSE, -EAFNOSUPPORT, -ENETDOWN (the host is closed), -EBADF
   */
  bind(at: SocketAddress): number {
    if (this.#closed) return -EBADF;
    const result = bindEndpoint(this, at);
    if (result < 0) return result;
    this.#addressBound = !at.address.equals(this.any);
    this.#portBound = at.port !== 0;
    return 0;
  }

  /**
   * connect(2): whom to send to, and from whom to receive; again and again. RFC 1122 4.1.3.3: errors about what is sent are told from now on.
   * @returns 0, -ENETUNREACH, -EACCES (everybody, without SO_BROADCAST), -EAGAIN (no port is left), -EAFNOSUPPORT, -EINVAL,
   *   -ENETDOWN (the host is closed), -EBADF
   */
  connect(to: SocketAddress): number {
    if (this.#closed) return -EBADF;
    const { endpoint } = this;
    if (!isAddress(to)) return -EFAULT;
    if (!isPort(to.port)) return -EINVAL;
    if (this.stack.closed) return -ENETDOWN;
    if (!this.#holdPort()) return -EAGAIN;
    const remote = destination(this, to.address);
    if (typeof remote === 'number') return remote;
    const path = pathTo(this, remote);
    if (typeof path === 'number') return path;
    if (endpoint.local.isUnspecified) endpoint.local = path.source;
    this.#connectedFrom = path.source;
    endpoint.remote = remote;
    endpoint.remotePort = to.port;
    this.stack.udp.table.changed(endpoint);
    return 0;
  }

  /** connect(2) to AF_UNSPEC: to send to, and receive from, anybody again; a port that bind did not name is let go. @returns 0 or -EBADF */
  disconnect(): number {
    if (this.#closed) return -EBADF;
    const { endpoint, stack } = this;
    endpoint.remote = undefined;
    endpoint.remotePort = 0;
    this.path = undefined;
    if (!this.#addressBound) {
      endpoint.local = this.any;
      this.#connectedFrom = undefined;
    }
    stack.udp.table.changed(endpoint);
    if (!this.#portBound && endpoint.localPort !== 0) {
      stack.udp.table.remove(endpoint);
      endpoint.localPort = 0;
    }
    return 0;
  }

  /**
   * send(2), and sendto(2) with `to`: one datagram, the bytes copied; without a bind before it, a port is taken.
   * @returns its bytes; -EAGAIN (no room now, or no port), -EMSGSIZE (longer than IP can say, or than the path takes where it is not to be
   *   fragmented), -EDESTADDRREQ (to whom?), -ENETUNREACH, -EACCES (everybody, without SO_BROADCAST), -EPIPE (shut down), -EINVAL,
   *   -EAFNOSUPPORT, -EOPNOTSUPP (flags), -ENETDOWN (the host is closed), -EBADF, or what an ICMP error said, once
   */
  send(bytes: Uint8Array, flags = 0, to?: SocketAddress): number {
    return this.sendv([bytes], flags, to);
  }

  /** sendto(2). Results as `send`. */
  sendto(bytes: Uint8Array, flags: number, to: SocketAddress): number {
    return this.sendv([bytes], flags, to);
  }

  /** sendmsg(2): the buffers one after the other, as one datagram. Results as `send`. */
  sendv(list: readonly Uint8Array[], flags = 0, to?: SocketAddress): number {
    if (this.#closed) return -EBADF;
    if (!areMemory(list) || (to !== undefined && !isAddress(to))) return -EFAULT;
    if (this.stack.closed) return -(this.takeError() || ENETDOWN);
    if (!this.#holdPort()) return -EAGAIN;
    if ((flags & ~SEND_FLAGS) !== 0) return -EOPNOTSUPP;
    let length = 0;
    for (const bytes of list) length += bytes.length;
    if (length > MOST_BYTES) return -EMSGSIZE;
    const { endpoint } = this;
    const port = to === undefined ? endpoint.remotePort : to.port;
    const remote = to === undefined ? endpoint.remote : destination(this, to.address);
    if (remote === undefined) return -EDESTADDRREQ;
    // Linux: the family counts before the port, the way there after it.
    if (typeof remote === 'number' && (this.domain !== AF_INET6 || to?.address.family === 4)) return remote;
    // It is no port to send to, unless connect gave it.
    const named = to !== undefined || (this.domain === AF_INET6 && endpoint.remote?.family === 4);
    if (!isPort(port) || (port === 0 && named)) return -EINVAL;
    if (typeof remote === 'number') return remote;
    const path = pathTo(this, remote);
    if (typeof path === 'number') return path;
    const error = this.takeError();
    if (error !== 0) return -error;
    return this.#writeShut ? -EPIPE : transmit(this, path, port, list, length);
  }

  /** recv(2): one datagram; what does not fit is gone. @returns bytes (0: it was empty), -EAGAIN, -EOPNOTSUPP (flags), -EBADF, or what an ICMP error said, once */
  recv(into: Uint8Array, flags = 0): number {
    const message = this.recvmsg([into], flags);
    return typeof message === 'number' ? message : message.length;
  }

  /** recvfrom(2): `recv`, and who sent it. */
  recvfrom(into: Uint8Array, flags = 0): DatagramMessage | number {
    return this.recvmsg([into], flags);
  }

  /**
   * recvmsg(2): one datagram, into one buffer after the other, and what there is to tell of it; with MSG_ERRQUEUE, an ICMP error that IP_RECVERR kept.
   * Errors as `recv`.
   */
  recvmsg(list: readonly Uint8Array[], flags = 0): DatagramMessage | number {
    if (this.#closed) return -EBADF;
    if (!areMemory(list)) return -EFAULT;
    if ((flags & ~RECV_FLAGS) !== 0) return -EOPNOTSUPP;
    if ((flags & MSG_ERRQUEUE) !== 0) return this.endpoint.errors.length === 0 ? -EAGAIN : takeQueuedError(this, list);
    const error = this.takeError();
    if (error !== 0) return -error;
    return this.endpoint.queue.count === 0 ? -EAGAIN : takeMessage(this, list, flags);
  }

  /** shutdown(2): it counts on a socket that is not connected, too, which is told that it is not (Linux). @returns 0, -ENOTCONN, -EINVAL, -EBADF */
  shutdown(how: number): number {
    if (this.#closed) return -EBADF;
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -EINVAL;
    if (how !== SHUT_WR) this.#readShut = true;
    if (how !== SHUT_RD) this.#writeShut = true;
    this.stack.tcp.markReady(this.endpoint);
    return this.connected ? 0 : -ENOTCONN;
  }

  /** close(2): what was sent still goes, what was not read is lost. @returns 0 or -EBADF */
  close(): number {
    if (this.#closed) return -EBADF;
    this.#closed = true;
    this.watcher = undefined;
    if (this.pollers !== undefined) for (const poller of this.pollers) poller.forget(this);
    this.endpoint.user = undefined;
    this.stack.udp.remove(this.endpoint);
    return 0;
  }

  /** getsockname(2). */
  getsockname(): SocketAddress | number {
    const { local, localPort } = this.endpoint;
    return this.#closed ? -EBADF : { address: local, port: localPort };
  }

  /** getpeername(2). @returns it, -ENOTCONN or -EBADF */
  getpeername(): SocketAddress | number {
    const { remote, remotePort } = this.endpoint;
    if (this.#closed) return -EBADF;
    return remote === undefined || remotePort === 0 ? -ENOTCONN : { address: remote, port: remotePort };
  }

  /** setsockopt(2). @returns 0, -ENOPROTOOPT, -EINVAL, -EBADF */
  setsockopt(level: number, option: number, value: OptionValue): number {
    return this.#closed ? -EBADF : setDatagramOption(this, level, option, value);
  }

  /** getsockopt(2). @returns the value, or -ENOPROTOOPT, -ENOTCONN, -EBADF */
  getsockopt(level: number, option: number): number | string {
    return this.#closed ? -EBADF : getDatagramOption(this, level, option);
  }

  /** close was called. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** ioctl(2): SIOCINQ, the bytes of the first datagram; SIOCOUTQ, memory of those that wait for the link. @returns bytes, -EINVAL, -EBADF */
  ioctl(request: number): number {
    if (this.#closed) return -EBADF;
    if (request === SIOCINQ) return this.endpoint.queue.firstLength;
    return request === SIOCOUTQ ? this.endpoint.sending : -EINVAL;
  }

  /** poll(2): what is ready now. A caller that finds no room to send will be told when there is some. */
  poll(): number {
    if (this.#closed) return 0;
    const { endpoint, settings } = this;
    let mask = 0;
    if (endpoint.queue.count > 0) mask |= POLLIN;
    if (this.#readShut) mask |= POLLIN | POLLRDHUP;
    if (this.#readShut && this.#writeShut) mask |= POLLHUP;
    if (endpoint.error !== 0 || endpoint.errors.length > 0) mask |= POLLERR;
    if (!endpoint.noSpace && endpoint.sending < settings.sndBuf >> 1) mask |= POLLOUT;
    else this.stack.udp.awaitRoom(endpoint);
    return mask;
  }

  /** SO_ERROR: what an ICMP error said, once; 0: nothing. */
  takeError(): number {
    const errno = errnoOf(this.endpoint.error);
    this.endpoint.error = 0;
    return errno;
  }

  /** IP_MTU, RFC 8085 3.2: of the path to the peer, as it is known now. @returns bytes, or -ENOTCONN */
  pathMtu(): number {
    const { remote } = this.endpoint;
    const path = remote === undefined ? -ENOTCONN : pathTo(this, remote);
    return typeof path === 'number' ? -ENOTCONN : path.knownMtu;
  }

  /** For the options: what is sent from now on is marked anew. */
  settingsChanged(): void {
    this.path = undefined;
  }

  /** The address that bind or connect gave, to send from to `remote`; undefined: the route chooses. */
  boundSource(remote: IpAddress): IpAddress | undefined {
    const { local } = this.endpoint;
    const isOurs = !local.isUnspecified && !local.isMulticast && !this.stack.network.isBroadcast(local);
    const source = isOurs && local.family === remote.family ? local : this.#connectedFrom;
    return source?.family === remote.family ? source : undefined;
  }

  /** The sender's address as an object; a peer that sends again has the same. */
  sourceOf({ s0, s1, s2, s3 }: QueuedDatagram): IpAddress {
    const { w0, w1, w2, w3 } = this.#source;
    if (w3 !== s3 || w2 !== s2 || w1 !== s1 || w0 !== s0) this.#source = IpAddress.v6(s0, s1, s2, s3);
    return this.#source;
  }

  /** For the stack: something changed. */
  ready(): void {
    this.watcher?.onReady(this.poll());
    if (this.pollers !== undefined) for (const poller of this.pollers) poller.changed(this);
  }

  /** Takes a port, when there is none yet. @returns false: none is left */
  #holdPort(): boolean {
    const { endpoint, stack, settings } = this;
    if (endpoint.localPort !== 0) return true;
    const port = stack.udp.table.ephemeral(endpoint, endpoint.local, settings);
    if (port === 0) return false;
    endpoint.localPort = port;
    stack.udp.table.add(endpoint);
    return true;
  }
}
