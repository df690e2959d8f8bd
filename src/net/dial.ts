/** dial: from `network` and `address` to a TCPConn, as Go's Dialer.DialContext. */
import { shown } from '../arguments.ts';
import type { Clock } from '../time/clock.ts';
import { connect } from './connect.ts';
import { AddrError, abortError, errTimeout } from './errors.ts';
import { checkKeepAliveOptions, type KeepAliveOptions } from './keep-alive.ts';
import { hostOf, type Limits, within } from './limits.ts';
import { asError, type Control, checkAddrs, checkCommonOptions, checkTexts, type Net } from './net.ts';
import { OpError } from './op-error.ts';
import { race } from './race.ts';
import { checkNetwork, NO_SUITABLE_ADDRESS, resolveList } from './resolve.ts';
import type { Resolver } from './resolver.ts';
import { TCPAddr } from './tcp-addr.ts';
import type { TCPConn } from './tcp-conn.ts';
import { monotonicDeadline } from './wait-queue.ts';

export interface DialOptions extends KeepAliveOptions {
  /** Time for everything, name resolution too, ms; 0 or absent: as long as the stack tries; negative: none left. */
  readonly timeout?: number | undefined;
  /** The same as a point in time: a Date or ms since 1970-01-01 UTC on the host's `clock.wallNow()`. The earlier of the two counts. */
  readonly deadline?: Date | number | null | undefined;
  /** This end: no address, or port 0, leaves it to the stack. */
  readonly localAddr?: TCPAddr | undefined;
  /**
   * When a name has addresses of both families, how long the family of the first is tried alone before the other one is tried beside it, ms; 0 or absent: 300;
   * negative: one address after the other, whatever their family. It counts for the network tcp alone.
   */
  readonly fallbackDelay?: number | undefined;
  /** Who is asked for names. Default: the host's. */
  readonly resolver?: Resolver | undefined;
  readonly control?: Control | undefined;
  /** Ends the dial: it fails with `operation was canceled`, or with `i/o timeout` for an `AbortSignal.timeout`; the connection, once there, is not touched by it. */
  readonly signal?: AbortSignal | undefined;
}

/** Those of dials of TCP, and so those of UDP, where some are without effect, as they are in Go's Dialer. */
export const OPTIONS: readonly (keyof DialOptions)[] = [
  'timeout',
  'deadline',
  'localAddr',
  'fallbackDelay',
  'resolver',
  'control',
  'signal',
  'keepAlive',
  'keepAliveConfig',
];

/** An address gets at least this much of the time, ms, while there is as much. */
const LEAST_SHARE = 2000;
/** RFC 6555 6, step 3: what browsers use, and Go. RFC 8305 5 starts one address after the other, 250 ms apart, of families in turn; Go, and we, wait once, for one family. */
const FALLBACK_DELAY = 300;

/**
 * Connects to `address`; an empty host, or 0.0.0.0, is this host. The addresses of a name are tried one after the other, each with its share of
 * the time that is left; when they are of both families, those of the first's and then those of the other, side by side after `fallbackDelay`
 * (RFC 6555), and the first connection wins. When all fail, the first address's error is given.
 * @throws OpError `dial` (as a rejection): connection refused, i/o timeout, no such host, missing port in address, ...
 * @throws TypeError (as a rejection) for wrong options
 */
export async function dial(net: Net, network: string, address: string, options: DialOptions = {}): Promise<TCPConn> {
  checkOptions(network, address, options);
  const { clock } = net.stack;
  const { signal } = options;
  const limits = { deadline: earliest(clock, options), signal };
  let list: TCPAddr[];
  try {
    list = await addresses(net, network, address, options, limits);
  } catch (error) {
    throw new OpError('dial', network, undefined, undefined, asError(error));
  }
  const delay = options.fallbackDelay || FALLBACK_DELAY;
  const family = list[0]?.ip?.family;
  const fallbacks = delay > 0 ? list.filter(({ ip }) => ip?.family !== family) : [];
  if (fallbacks.length === 0) return dialList(net, network, list, options, limits);
  const primaries = list.filter(({ ip }) => ip?.family === family);
  const through = (some: readonly TCPAddr[]) => (loser: AbortSignal) =>
    dialList(net, network, some, options, { ...limits, signal: loser });
  return race({
    clock,
    delay,
    signal,
    first: through(primaries),
    second: through(fallbacks),
    discard: (late) => late[Symbol.dispose](),
  });
}

/** The options of `dialTCP`: there is no name, and there is one address. */
export type DialTCPOptions = Omit<DialOptions, 'localAddr' | 'fallbackDelay' | 'resolver'>;

/**
 * Connects to one address; `local`: this end, undefined leaves it to the stack. As Go's DialTCP.
 * @throws OpError `dial` (as a rejection); TypeError (as a rejection) for wrong arguments
 */
export async function dialTCP(
  net: Net,
  network: string,
  local: TCPAddr | undefined,
  remote: TCPAddr | undefined,
  options: DialTCPOptions = {},
): Promise<TCPConn> {
  checkOptions(network, '', options);
  checkAddrs('dialTCP', TCPAddr, local, remote);
  const { clock } = net.stack;
  const failed = (reason: unknown) => new OpError('dial', network, local, remote, asError(reason));
  try {
    checkNetwork(network);
  } catch (error) {
    throw failed(error);
  }
  if (remote === undefined) throw failed(new Error('missing address'));
  const limits = { deadline: earliest(clock, options), signal: options.signal };
  return dialList(net, network, [remote], { ...options, localAddr: local }, limits);
}

/** Tries one address after the other. @throws OpError (as a rejection) the first one's */
async function dialList(
  net: Net,
  network: string,
  list: readonly TCPAddr[],
  options: DialOptions,
  limits: Limits,
): Promise<TCPConn> {
  const { clock } = net.stack;
  let first: OpError | undefined;
  for (const [tried, remote] of list.entries()) {
    const failed = (reason: unknown) => new OpError('dial', network, options.localAddr, remote, asError(reason));
    if (limits.signal?.aborted) throw failed(abortError(limits.signal));
    const deadline = shareOfTime(clock.now(), limits.deadline, list.length - tried);
    if (deadline === 'over') throw first ?? failed(errTimeout);
    try {
      return await connect(net, network, remote, options, { deadline, signal: limits.signal });
    } catch (error) {
      first ??= failed(error);
    }
  }
  throw first as OpError;
}

/**
 * Until when the next of `addresses` addresses may be tried: the time is shared out evenly, but not in pieces too small to be of use.
 * @returns 'over' when there is none left
 */
export function shareOfTime(now: number, deadline: number | undefined, addresses: number): number | undefined | 'over' {
  if (deadline === undefined) return undefined;
  const left = deadline - now;
  if (left <= 0) return 'over';
  return now + Math.min(left, Math.max(left / addresses, LEAST_SHARE));
}

function checkOptions(network: string, address: string, options: DialOptions): void {
  checkTexts('dial', network, address);
  checkCommonOptions('dial', options, OPTIONS);
  checkKeepAliveOptions('dial', options);
  for (const name of ['timeout', 'fallbackDelay'] as const) {
    const value = options[name];
    if (value !== undefined && (typeof value !== 'number' || Number.isNaN(value)))
      throw new TypeError(`dial: ${name} must be a number of ms, got ${shown(value)}`);
  }
}

function earliest(clock: Clock, { timeout = 0, deadline }: DialOptions): number | undefined {
  const at = deadline === undefined ? undefined : monotonicDeadline(clock, deadline, 'dial: deadline');
  if (timeout === 0 || timeout === Infinity) return at;
  return Math.min(clock.now() + timeout, at ?? Infinity);
}

/** The remote addresses to try: those that the local address, when one is given, can speak to. */
async function addresses(
  net: Net,
  network: string,
  address: string,
  { localAddr: local, resolver = net.resolver }: DialOptions,
  limits: Limits,
): Promise<TCPAddr[]> {
  checkNetwork(network);
  if (address === '') throw new Error('missing address');
  const list = await within(net, limits, hostOf(address), (signal) =>
    resolveList(network, address, { resolver, services: net.services, signal }),
  );
  if (local === undefined) return list;
  if (!(local instanceof TCPAddr)) throw new AddrError('mismatched local address type', shown(local));
  const fitting = list.filter(
    (remote) => local.isWildcard || remote.isWildcard || remote.ip?.family === local.ip?.family,
  );
  if (fitting.length === 0) throw new AddrError(NO_SUITABLE_ADDRESS, local.toString());
  return fitting;
}
