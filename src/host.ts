/** createHost: links, a stack and Go's net, put together into what a user holds. */

import { checkNames, shown, wrongNames } from './arguments.ts';
import { wrongSignal } from './net/conn.ts';
import type { Closable } from './net/descriptor.ts';
import { type DialOptions, type DialTCPOptions, dial, dialTCP } from './net/dial.ts';
import { dnsPlanOf } from './net/dns-options.ts';
import type { DnsResolver } from './net/dns-resolver.ts';
import { errClosed, SyscallError } from './net/errors.ts';
import { type ForwardCallback, type Forwarder, type ForwardOptions, forward } from './net/forward.ts';
import {
  checkForwarding,
  checkHostNames,
  clockOf,
  type HostOptions,
  hasherOf,
  interfacesOf,
  randomOf,
  resolverOf,
  routesOf,
  sysctlOf,
  traceOf,
} from './net/host-options.ts';
import { hostResolver } from './net/host-resolver.ts';
import { hostOf, within } from './net/limits.ts';
import { type ListenOptions, listen, listenTCP } from './net/listen.ts';
import {
  type DialPacketOptions,
  dialPacket,
  dialUDP,
  type ListenPacketOptions,
  listenPacket,
  listenUDP,
} from './net/listen-packet.ts';
import type { Net } from './net/net.ts';
import { OpError } from './net/op-error.ts';
import { lookupAddresses, resolveTCPAddr } from './net/resolve.ts';
import { checkLookup, type LookupOptions } from './net/resolver.ts';
import {
  applyRoute,
  findRoute,
  type RouteOptions,
  type RouteSelector,
  type RouteStatus,
  routeOf,
  statusOf,
} from './net/route-options.ts';
import type { TCPAddr } from './net/tcp-addr.ts';
import type { TCPConn } from './net/tcp-conn.ts';
import type { TCPListener } from './net/tcp-listener.ts';
import { isUdpNetwork, resolveUDPAddr, type UDPAddr } from './net/udp-addr.ts';
import type { UDPConn } from './net/udp-conn.ts';
import { createSocket, type SocketOf } from './socket/create-socket.ts';
import { Epoll } from './socket/epoll.ts';
import { type SocketStatus, Stack } from './stack/stack.ts';
import { checkedSysctl } from './stack/sysctl.ts';
import type { Clock } from './time/clock.ts';
import type { IpAddress } from './wire/address.ts';

export interface CloseOptions {
  /** How long what was written may take to be delivered, ms; 0: no time at all. Default: 1,000. */
  readonly timeout?: number | undefined;
  /**
   * When the time is up, all that the windows have room for goes out with the ends of the streams, ahead of the resets: so peers find a process
   * that has ended. Default: false.
   */
  readonly orderly?: boolean | undefined;
}

const CLOSE_TIMEOUT = 1000;

/**
 * A host with an address on each of its links, ready to dial and to listen.
 * @throws TypeError, RangeError naming the option that is wrong
 */
export function createHost(options: HostOptions = {}): Host {
  checkHostNames(options);
  const interfaces = interfacesOf(options);
  const routes = routesOf(options, interfaces);
  const resolver = resolverOf(options);
  const clock = clockOf(options);
  const random = randomOf(options);
  const plan = dnsPlanOf(options, clock);
  if (options.forwarding !== undefined) checkForwarding('createHost', options.forwarding);
  const stack = new Stack({
    clock,
    random,
    sysctl: sysctlOf(options),
    trace: traceOf(options),
    hasher: hasherOf(options),
  });
  for (const { link, name, addresses, acceptAny, echoAny } of interfaces) {
    const added = stack.addInterface(link, { name, addresses: [...addresses] });
    added.acceptAny = acceptAny;
    added.echoAny = echoAny;
  }
  // What is said of a link's own network goes before what follows from its address.
  for (const route of routes) applyRoute(stack, route);
  const addresses = stack.interfaces.flatMap((one) => one.addresses.map(({ address }) => address));
  if (options.forwarding !== undefined) setForwarding(stack, options.forwarding);
  const open: Net['open'] = new Set();
  const dns = hostResolver(plan, stack, open, random);
  return new Host({ stack, resolver: resolver ?? dns, services: plan.services, open }, dns, addresses);
}

export class Host {
  /**
   * Its addresses, in the order of the links; a link-local one, which every link with IPv6 has, shows the number of its interface: `fe80::1%2`. 127.0.0.1 and ::1
   * are always there and not listed.
   */
  readonly addresses: readonly IpAddress[];
  /** Looks names up as the option `dns` says: addresses, aliases, mail exchangers, services, names of addresses, ... */
  readonly dns: DnsResolver;
  readonly #net: Net;
  readonly #sysctl: Stack['sysctl'];
  #closing: Promise<void> | undefined;

  /** For createHost alone. */
  constructor(net: Net, dns: DnsResolver, addresses: readonly IpAddress[]) {
    this.#net = net;
    this.dns = dns;
    this.#sysctl = checkedSysctl(net.stack.sysctl);
    this.addresses = addresses;
  }

  get clock(): Clock {
    return this.#net.stack.clock;
  }

  /** For what stands on the host: it enters itself here while it is open, and is closed with the host. */
  get open(): Set<Closable> {
    return this.#net.open;
  }

  /** What happened, counted under the names of SNMP and of Linux's TcpExt. */
  get counters(): Stack['counters'] {
    return this.#net.stack.counters;
  }

  /**
   * The settings of the stack, under Linux's names (docs/sysctl.md): read, or assign; what is assigned holds from then on, for what looks
   * at it then. @throws TypeError (an assignment) for a name that does not exist, or a value that it cannot have
   */
  get sysctl(): Stack['sysctl'] {
    return this.#sysctl;
  }

  /** Whether packets for others are sent on, of both families; `sysctl.ip_forward` and `sysctl.forwarding` say it of one. @throws TypeError (an assignment) */
  get forwarding(): boolean {
    return this.#sysctl.ip_forward && this.#sysctl.forwarding;
  }

  set forwarding(forwarding: boolean) {
    checkForwarding('host', forwarding);
    setForwarding(this.#net.stack, forwarding);
  }

  /**
   * Connects: `network` is tcp, tcp4 or tcp6, or udp, udp4 or udp6 for a UDPConn; `address` is `host:port`.
   * @throws OpError (as a rejection) `dial tcp 10.9.0.1:80: connect: connection refused`; see `DialOptions`, `DialPacketOptions`
   */
  dial(network: 'udp' | 'udp4' | 'udp6', address: string, options?: DialPacketOptions): Promise<UDPConn>;
  dial(network: string, address: string, options?: DialOptions): Promise<TCPConn>;
  dial(network: string, address: string, options?: DialOptions | DialPacketOptions): Promise<TCPConn | UDPConn> {
    if (this.#closing !== undefined)
      return Promise.reject(new OpError('dial', network, undefined, undefined, errClosed));
    if (isUdpNetwork(network)) return dialPacket(this.#net, network, address, options as DialPacketOptions);
    return dial(this.#net, network, address, options as DialOptions);
  }

  /** As `dial`, with a time for everything, ms (Go: DialTimeout). */
  dialTimeout(
    network: 'udp' | 'udp4' | 'udp6',
    address: string,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<UDPConn>;
  dialTimeout(network: string, address: string, timeout: number, signal?: AbortSignal): Promise<TCPConn>;
  dialTimeout(network: string, address: string, timeout: number, signal?: AbortSignal): Promise<TCPConn | UDPConn> {
    return this.dial(network, address, { timeout, signal });
  }

  /**
   * Connects from one address, undefined leaving it to the stack, to another: no names, and no second try. As Go's DialTCP.
   * @throws OpError (as a rejection) `dial tcp 10.9.0.1:7->10.9.0.2:80: bind: address already in use`
   */
  dialTCP(network: string, local: TCPAddr | undefined, remote: TCPAddr, options?: DialTCPOptions): Promise<TCPConn> {
    if (this.#closing !== undefined) return Promise.reject(new OpError('dial', network, local, remote, errClosed));
    return dialTCP(this.#net, network, local, remote, options);
  }

  /** As `dialTCP`, of UDP. */
  dialUDP(
    network: string,
    local: UDPAddr | undefined,
    remote: UDPAddr,
    options?: ListenPacketOptions,
  ): Promise<UDPConn> {
    if (this.#closing !== undefined) return Promise.reject(new OpError('dial', network, local, remote, errClosed));
    return dialUDP(this.#net, network, local, remote, options);
  }

  /** Listens on an address; undefined: on all, on a free port. As Go's ListenTCP. @throws OpError (as a rejection) as `listen` */
  listenTCP(network: string, local?: TCPAddr, options?: ListenOptions): Promise<TCPListener> {
    if (this.#closing !== undefined) return Promise.reject(new OpError('listen', network, undefined, local, errClosed));
    return listenTCP(this.#net, network, local, options);
  }

  /** Takes datagrams for an address; undefined: for all, on a free port. As Go's ListenUDP. @throws OpError (as a rejection) as `listenPacket` */
  listenUDP(network: string, local?: UDPAddr, options?: ListenPacketOptions): Promise<UDPConn> {
    if (this.#closing !== undefined) return Promise.reject(new OpError('listen', network, undefined, local, errClosed));
    return listenUDP(this.#net, network, local, options);
  }

  /**
   * Takes datagrams for `host:port`: `network` is udp, udp4 or udp6; without a host for all addresses, without a port, or with 0, on a free one.
   * @throws OpError (as a rejection) `listen udp 10.9.0.2:53: bind: address already in use`; see `ListenPacketOptions`
   */
  listenPacket(network: string, address: string, options?: ListenPacketOptions): Promise<UDPConn> {
    if (this.#closing !== undefined)
      return Promise.reject(new OpError('listen', network, undefined, undefined, errClosed));
    return listenPacket(this.#net, network, address, options);
  }

  /**
   * Listens on `host:port`; without a host on all addresses, without a port, or with 0, on a free one.
   * @throws OpError (as a rejection) `listen tcp 10.9.0.2:80: bind: address already in use`; see `ListenOptions`
   */
  listen(network: string, address: string, options?: ListenOptions): Promise<TCPListener> {
    if (this.#closing !== undefined)
      return Promise.reject(new OpError('listen', network, undefined, undefined, errClosed));
    return listen(this.#net, network, address, options);
  }

  /**
   * Asks `decide` about every TCP connection that is opened to an address which is nobody's, on a link that accepts any (`acceptAny`), and to a port that nobody
   * listens on, before its SYN is answered: a VPN dials the real destination first. See `ForwardCallback`, `ForwardOptions`.
   * @throws TypeError, RangeError for wrong options; Error when there is a forwarder already
   */
  forward(decide: ForwardCallback, options?: ForwardOptions): Forwarder {
    if (this.#closing !== undefined) throw errClosed;
    return forward(this.#net, decide, options);
  }

  /**
   * The addresses of a name, best first, as texts; of the option `resolver` when there is one, else as `dns.lookupHost`.
   * @throws DNSError (as a rejection) `lookup nohost on 10.9.0.1:53: no such host`
   */
  async lookupHost(name: string, options: LookupOptions = {}): Promise<string[]> {
    if (typeof name !== 'string') throw new TypeError(`lookup: name must be a string, got ${typeof name}`);
    checkLookup('lookup', options);
    const { resolver } = this.#net;
    const found = await this.#within(
      options,
      () => name,
      (signal) => lookupAddresses(name, { ...options, resolver, signal }),
    );
    return found.map(String);
  }

  /** The port of a service, by number or by name. @throws AddrError invalid port; DNSError unknown port */
  lookupPort(network: string, service: string): number {
    return this.dns.lookupPort(network, service);
  }

  /**
   * The address that `host:port` stands for; see `resolveTCPAddr`.
   * @throws UnknownNetworkError, AddrError, DNSError (as rejections)
   */
  async resolveTCPAddr(
    network: string,
    address: string,
    options: Pick<LookupOptions, 'signal'> = {},
  ): Promise<TCPAddr> {
    checkNames('resolveTCPAddr', options, ['signal']);
    const { resolver, services } = this.#net;
    return this.#within(options, hostOf(address), (signal) =>
      resolveTCPAddr(network, address, { resolver, services, signal }),
    );
  }

  /** As `resolveTCPAddr`, for `udp`, `udp4` and `udp6`. */
  async resolveUDPAddr(
    network: string,
    address: string,
    options: Pick<LookupOptions, 'signal'> = {},
  ): Promise<UDPAddr> {
    checkNames('resolveUDPAddr', options, ['signal']);
    const { resolver, services } = this.#net;
    return this.#within(options, hostOf(address), (signal) =>
      resolveUDPAddr(network, address, { resolver, services, signal }),
    );
  }

  /**
   * A BSD socket, non-blocking, with error numbers for results: `host.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)`, or one of UDP:
   * `host.socket(AF_INET, SOCK_DGRAM)`.
   * @throws SyscallError `socket` for a kind of socket that does not exist
   */
  socket<Type extends number>(domain: number, type: Type, protocol = 0): SocketOf<Type> {
    if (this.#closing !== undefined) throw errClosed;
    const socket = createSocket(this.#net.stack, domain, type, protocol);
    if (typeof socket === 'number') throw new SyscallError('socket', -socket);
    return socket;
  }

  /**
   * Adds a route, in place of the one to the same network over the same interface with the same preference, if there is one. Connections follow: what they send
   * next goes by its metrics, and what is opened from now on by the route itself.
   * @throws TypeError naming what is wrong
   */
  addRoute(route: RouteOptions): void {
    const { stack } = this.#net;
    applyRoute(stack, routeOf('addRoute: route', route, stack.interfaces));
  }

  /** Takes away the first route that is as `selector` says, a link's own network's too. @returns whether there was one @throws TypeError */
  removeRoute(selector: RouteSelector): boolean {
    const { network } = this.#net.stack;
    const route = findRoute(this.#net.stack, selector);
    return route !== undefined && network.removeRoute(route);
  }

  /** All routes, in the order in which they are tried. */
  routes(): RouteStatus[] {
    return this.#net.stack.network.routes.list().map(statusOf);
  }

  /** epoll_create(2): tells which of many sockets are ready, by level or by edge; see `Epoll`. */
  epoll<T = unknown>(): Epoll<T> {
    return new Epoll<T>();
  }

  /** All sockets and connections, as `ss` shows them. */
  sockets(): SocketStatus[] {
    return this.#net.stack.sockets();
  }

  /**
   * Ends the host: listeners are closed, connections too, and when all that was written is delivered, or the time is up, what is left is reset and
   * the links are closed. The second call gives the promise of the first.
   * On a VirtualClock time must pass for that: `clock.run({ until: host.close() })`.
   * @throws RangeError (as a rejection) when `timeout` is negative or not a number
   */
  close(options: CloseOptions = {}): Promise<void> {
    const wrong = wrongNames('Host.close', options, ['timeout', 'orderly'] satisfies (keyof CloseOptions)[]);
    if (wrong !== undefined) return Promise.reject(wrong);
    const { timeout = CLOSE_TIMEOUT, orderly = false } = options;
    if (typeof timeout !== 'number' || !(timeout >= 0))
      return Promise.reject(new RangeError(`Host.close: timeout must be a number of ms >= 0, got ${shown(timeout)}`));
    this.#closing ??= this.#close(timeout, orderly);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A lookup, for as long as its user waits and the host is open. */
  #within<T>({ signal }: LookupOptions, name: () => string, lookup: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const wrong = wrongSignal('lookup', signal);
    if (wrong !== undefined || this.#closing !== undefined) return Promise.reject(wrong ?? errClosed);
    return within(this.#net, { deadline: undefined, signal }, name, lookup);
  }

  async #close(timeout: number, orderly: boolean): Promise<void> {
    const { stack, open } = this.#net;
    this.dns.close();
    for (const one of [...open] satisfies Closable[]) one.close();
    if (timeout > 0) await idle(stack, timeout);
    stack.close(orderly);
  }
}

function setForwarding({ sysctl }: Stack, forwarding: boolean): void {
  sysctl.ip_forward = forwarding;
  sysctl.forwarding = forwarding;
}

/** Waits until all is sent and acknowledged, or for `timeout` ms. */
async function idle(stack: Stack, timeout: number): Promise<void> {
  if (stack.idle) return;
  const { clock } = stack;
  await new Promise<void>((resolve) => {
    const timer = clock.timer(resolve);
    if (timeout < Infinity) timer.set(clock.now() + timeout);
    stack.onIdle = () => {
      timer.clear();
      resolve();
    };
    clock.hold();
  });
  clock.unhold();
  stack.onIdle = undefined;
}
