/** What dial and listen need of a host. */
import { checkNames, shown } from '../arguments.ts';
import { AF_INET, AF_INET6, IPPROTO_IPV6, IPPROTO_TCP, IPV6_V6ONLY, SOCK_STREAM } from '../socket/constants.ts';
import { createSocket } from '../socket/create-socket.ts';
import type { Socket } from '../socket/socket.ts';
import type { Stack } from '../stack/stack.ts';
import { wrongSignal } from './conn.ts';
import type { Closable } from './descriptor.ts';
import { SyscallError } from './errors.ts';
import type { Resolver } from './resolver.ts';
import type { Services } from './services-file.ts';
import type { TCPAddr } from './tcp-addr.ts';

export interface Net {
  readonly stack: Stack;
  readonly resolver: Resolver;
  /** Names of ports beyond those that are built in. */
  readonly services: () => Services;
  /** Connections and listeners that are open. */
  readonly open: Set<Closable>;
}

/**
 * Called with a socket before it is bound or connected (Go: Control): `network` is tcp4 or tcp6, `address` the remote one of a dial, the
 * local one of a listen. What it throws fails the call.
 */
export type Control = (network: 'tcp4' | 'tcp6', address: string, socket: Socket) => void;

/**
 * A socket of a family; one of IPv6 speaks IPv4, too, unless the network is tcp6: whatever the host's default is (Go).
 * @throws SyscallError `socket`
 */
export function openSocket(net: Net, network: string, family: 4 | 6): Socket {
  const socket = createSocket(net.stack, family === 4 ? AF_INET : AF_INET6, SOCK_STREAM, IPPROTO_TCP);
  if (typeof socket === 'number') throw new SyscallError('socket', -socket);
  if (family === 6) socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, Number(network === 'tcp6'));
  return socket;
}

/** @throws what `control` throws */
export function runControl(control: Control | undefined, family: 4 | 6, address: TCPAddr, socket: Socket): void {
  control?.(family === 4 ? 'tcp4' : 'tcp6', address.toString(), socket);
}

/** @throws SyscallError when `result` is a negative error number */
export function checkCall(syscall: string, result: number): void {
  if (result < 0) throw new SyscallError(syscall, -result);
}

/** @throws TypeError */
export function checkCommonOptions<T extends { control?: unknown; signal?: unknown; resolver?: Resolver | undefined }>(
  caller: string,
  options: T,
  names: readonly (keyof T & string)[],
): void {
  checkNames(caller, options, names);
  if (options.control !== undefined && typeof options.control !== 'function') {
    throw new TypeError(`${caller}: control must be a function`);
  }
  if (options.resolver !== undefined && typeof options.resolver?.lookupHost !== 'function') {
    throw new TypeError(`${caller}: resolver must be an object with lookupHost(name, options)`);
  }
  const wrong = wrongSignal(caller, options.signal);
  if (wrong !== undefined) throw wrong;
}

/** Go has no such error, its compiler does: texts must be texts. @throws TypeError */
export function checkTexts(caller: string, network: unknown, address: unknown): void {
  if (typeof network !== 'string')
    throw new TypeError(`${caller}: network must be a string ('tcp'), got ${typeof network}`);
  if (typeof address !== 'string')
    throw new TypeError(`${caller}: address must be a string ('10.9.0.1:80'), got ${typeof address}`);
}

/** @throws TypeError when an address that was given is not of its class */
export function checkAddrs(caller: string, Kind: new (...args: never[]) => object, ...addresses: unknown[]): void {
  if (addresses.every((address) => address === undefined || address instanceof Kind)) return;
  throw new TypeError(`${caller}: an address must be a ${Kind.name}, or undefined`);
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(shown(thrown));
}
