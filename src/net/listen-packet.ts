/** listenPacket and dial of UDP: from `network` and `address` to a UDPConn, as Go's ListenConfig.ListenPacket and Dialer. */

import { shown } from '../arguments.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  SO_BROADCAST,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../socket/constants.ts';
import { createSocket } from '../socket/create-socket.ts';
import type { DatagramSocket } from '../socket/datagram-socket.ts';
import { Descriptor } from './descriptor.ts';
import { OPTIONS as DIAL_OPTIONS } from './dial.ts';
import { AddrError, abortError, errTimeout, SyscallError } from './errors.ts';
import { familyOfDial, familyOfListen, socketAddress } from './family.ts';
import { hostOf, type Limits, within } from './limits.ts';
import { asError, checkAddrs, checkCall, checkCommonOptions, checkTexts, type Net } from './net.ts';
import { OpError } from './op-error.ts';
import { isTcpNetwork, NO_SUITABLE_ADDRESS, preferred, resolveAs, unexpectedType } from './resolve.ts';
import type { Resolver } from './resolver.ts';
import { TCPAddr } from './tcp-addr.ts';
import { checkUdpNetwork, UDPAddr } from './udp-addr.ts';
import { UDPConn } from './udp-conn.ts';
import { monotonicDeadline } from './wait-queue.ts';

/** Called with a socket before it is bound or connected (Go: Control); see `Control`. */
export type PacketControl = (network: 'udp4' | 'udp6', address: string, socket: DatagramSocket) => void;

export interface ListenPacketOptions {
  readonly control?: PacketControl | undefined;
  /** Ends the resolving of the address; the connection, once there, is not touched by it. */
  readonly signal?: AbortSignal | undefined;
}

export interface DialPacketOptions extends ListenPacketOptions {
  /** Time for name resolution, ms; 0 or absent: as long as it takes; negative: none left. */
  readonly timeout?: number | undefined;
  /** The same as a point in time: a Date or ms since 1970-01-01 UTC on the host's `clock.wallNow()`. The earlier of the two counts. */
  readonly deadline?: Date | number | null | undefined;
  /** This end: no address, or port 0, leaves it to the stack. */
  readonly localAddr?: UDPAddr | undefined;
  /** Who is asked for names. Default: the host's. */
  readonly resolver?: Resolver | undefined;
}

const OPTIONS: readonly (keyof ListenPacketOptions)[] = ['control', 'signal'];

/**
 * Takes datagrams for `address`: an empty host is all addresses of the host, of both families for `udp`; port 0 or none is a free one.
 * @throws OpError `listen` (as a rejection): address already in use, cannot assign requested address, missing port in address, ...
 * @throws TypeError (as a rejection) for wrong options
 */
export async function listenPacket(
  net: Net,
  network: string,
  address: string,
  options: ListenPacketOptions = {},
): Promise<UDPConn> {
  checkTexts('listenPacket', network, address);
  checkCommonOptions('listenPacket', options, OPTIONS);
  if (isTcpNetwork(network)) throw await unexpectedType(net, TCPAddr, network, address, options.signal);
  let local: UDPAddr;
  try {
    checkUdpNetwork(network);
    if (options.signal?.aborted) throw abortError(options.signal);
    local = preferred(await resolved(net, network, address, { deadline: undefined, signal: options.signal }), 4);
  } catch (error) {
    throw new OpError('listen', network, undefined, undefined, asError(error));
  }
  try {
    return open(net, network, familyOfListen(network, local), local, undefined, options.control);
  } catch (error) {
    throw new OpError('listen', network, undefined, local, asError(error));
  }
}

/**
 * A connection to `address`: it sends there, and receives from there. Nothing is sent to find out whether anybody is there. Of the addresses
 * of a name it is the first that there is a way to.
 * @throws OpError `dial` (as a rejection): network is unreachable, no such host, missing port in address, ...
 * @throws TypeError (as a rejection) for wrong options
 */
export async function dialPacket(
  net: Net,
  network: string,
  address: string,
  options: DialPacketOptions = {},
): Promise<UDPConn> {
  checkTexts('dial', network, address);
  checkCommonOptions('dial', options, DIAL_OPTIONS as readonly (keyof DialPacketOptions)[]);
  const { localAddr: local, signal } = options;
  const limits = { deadline: deadlineOf(net, options), signal };
  let list: UDPAddr[];
  try {
    checkUdpNetwork(network);
    if (address === '') throw new Error('missing address');
    list = fitting(await resolved(net, network, address, limits, options.resolver), local);
  } catch (error) {
    throw new OpError('dial', network, undefined, undefined, asError(error));
  }
  let first: OpError | undefined;
  for (const remote of list) {
    try {
      if (signal?.aborted) throw abortError(signal);
      if (limits.deadline !== undefined && limits.deadline <= net.stack.clock.now()) throw errTimeout;
      return open(net, network, familyOfDial(network, local, remote), local, remote, options.control);
    } catch (error) {
      first ??= new OpError('dial', network, local, remote, asError(error));
    }
  }
  throw first as OpError;
}

/**
 * A connection from one address, or undefined, to another; as Go's DialUDP.
 * @throws OpError `dial` (as a rejection); TypeError (as a rejection) for wrong arguments
 */
export async function dialUDP(
  net: Net,
  network: string,
  local: UDPAddr | undefined,
  remote: UDPAddr | undefined,
  options: ListenPacketOptions = {},
): Promise<UDPConn> {
  checkTexts('dialUDP', network, '');
  checkCommonOptions('dialUDP', options, OPTIONS);
  checkAddrs('dialUDP', UDPAddr, local, remote);
  try {
    checkUdpNetwork(network);
    if (remote === undefined) throw new Error('missing address');
    if (options.signal?.aborted) throw abortError(options.signal);
    return open(net, network, familyOfDial(network, local, remote), local, remote, options.control);
  } catch (error) {
    throw new OpError('dial', network, local, remote, asError(error));
  }
}

/**
 * Takes datagrams for one address; undefined: for all, on a free port. As Go's ListenUDP.
 * @throws OpError `listen` (as a rejection); TypeError (as a rejection) for wrong arguments
 */
export async function listenUDP(
  net: Net,
  network: string,
  local: UDPAddr | undefined,
  options: ListenPacketOptions = {},
): Promise<UDPConn> {
  checkTexts('listenUDP', network, '');
  checkCommonOptions('listenUDP', options, OPTIONS);
  checkAddrs('listenUDP', UDPAddr, local);
  const address = local ?? new UDPAddr(undefined, 0);
  try {
    checkUdpNetwork(network);
    if (options.signal?.aborted) throw abortError(options.signal);
  } catch (error) {
    throw new OpError('listen', network, undefined, local, asError(error));
  }
  try {
    return open(net, network, familyOfListen(network, address), address, undefined, options.control);
  } catch (error) {
    throw new OpError('listen', network, undefined, address, asError(error));
  }
}

function resolved(
  net: Net,
  network: string,
  address: string,
  limits: Limits,
  resolver: Resolver = net.resolver,
): Promise<UDPAddr[]> {
  return within(net, limits, hostOf(address), (signal) =>
    resolveAs(UDPAddr, network, address, { resolver, services: net.services, signal }),
  );
}

/** Those that the local address, when one is given, can speak to. */
function fitting(list: UDPAddr[], local: UDPAddr | undefined): UDPAddr[] {
  if (local === undefined) return list;
  if (!(local instanceof UDPAddr)) throw new AddrError('mismatched local address type', shown(local));
  const found = list.filter(
    (remote) => local.isWildcard || remote.isWildcard || remote.ip?.family === local.ip?.family,
  );
  if (found.length === 0) throw new AddrError(NO_SUITABLE_ADDRESS, local.toString());
  return found;
}

function deadlineOf({ stack }: Net, { timeout = 0, deadline }: DialPacketOptions): number | undefined {
  if (typeof timeout !== 'number' || Number.isNaN(timeout))
    throw new TypeError(`dial: timeout must be a number of ms, got ${shown(timeout)}`);
  const at = deadline === undefined ? undefined : monotonicDeadline(stack.clock, deadline, 'dial: deadline');
  if (timeout === 0 || timeout === Infinity) return at;
  return Math.min(stack.clock.now() + timeout, at ?? Infinity);
}

/** @throws SyscallError, AddrError, what `control` throws */
function open(
  net: Net,
  network: string,
  family: 4 | 6,
  local: UDPAddr | undefined,
  remote: UDPAddr | undefined,
  control: PacketControl | undefined,
): UDPConn {
  const socket = createSocket(net.stack, family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
  if (typeof socket === 'number') throw new SyscallError('socket', -socket);
  const descriptor = new Descriptor(socket, net.stack.clock, net.open);
  try {
    // Go: one family alone when the network names it; and broadcasts are nothing special.
    if (family === 6) socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, Number(network === 'udp6'));
    socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
    control?.(family === 4 ? 'udp4' : 'udp6', ((remote ?? local) as UDPAddr).toString(), socket);
    bindTo(net, socket, family, local, remote === undefined);
    if (remote !== undefined) checkCall('connect', socket.connect(socketAddress(net.stack.network, family, remote)));
    return new UDPConn(descriptor, network, remote);
  } catch (error) {
    descriptor.close();
    throw error;
  }
}

/** @throws SyscallError `bind`, AddrError */
function bindTo(net: Net, socket: DatagramSocket, family: 4 | 6, local: UDPAddr | undefined, listens: boolean): void {
  if (local === undefined) return;
  // Go: a group is listened to on all addresses, and by as many as like.
  const group = listens && local.ip?.isMulticast === true;
  if (group) socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  const at = socketAddress(net.stack.network, family, group ? new UDPAddr(undefined, local.port) : local);
  if (listens || !at.address.isUnspecified || at.port !== 0) checkCall('bind', socket.bind(at));
}
