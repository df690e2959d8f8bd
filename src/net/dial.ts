/** dial: from `network` and `address` to a TCPConn, as Go's Dialer.DialContext. */
import type { Clock } from '../time/clock.ts';
import { connect } from './connect.ts';
import { AddrError, abortError, errTimeout } from './errors.ts';
import { checkKeepAliveOptions, type KeepAliveOptions } from './keep-alive.ts';
import { type Limits, within } from './limits.ts';
import { asError, type Control, checkCommonOptions, checkTexts, type Net } from './net.ts';
import { OpError } from './op-error.ts';
import { checkNetwork, NO_SUITABLE_ADDRESS, resolveList } from './resolve.ts';
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
  readonly control?: Control | undefined;
  /** Ends the dial: it fails with `operation was canceled`, or with `i/o timeout` for an `AbortSignal.timeout`; the connection, once there, is not touched by it. */
  readonly signal?: AbortSignal | undefined;
}

/** An address gets at least this much of the time, ms, while there is as much. */
const LEAST_SHARE = 2000;

/**
 * Connects to `address`; an empty host, or 0.0.0.0, is this host. The addresses of a name are tried one after the other, each with its share of
 * the time that is left; when all fail, the first one's error is given.
 * @throws OpError `dial` (as a rejection): connection refused, i/o timeout, no such host, missing port in address, ...
 * @throws TypeError (as a rejection) for wrong options
 */
export async function dial(net: Net, network: string, address: string, options: DialOptions = {}): Promise<TCPConn> {
  checkOptions(network, address, options);
  const { clock } = net.stack;
  const limits = { deadline: earliest(clock, options), signal: options.signal };
  let list: TCPAddr[];
  try {
    list = await addresses(net, network, address, options.localAddr, limits);
  } catch (error) {
    throw new OpError('dial', network, undefined, undefined, asError(error));
  }
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
  checkCommonOptions('dial', options);
  checkKeepAliveOptions('dial', options);
  const { timeout } = options;
  if (timeout !== undefined && (typeof timeout !== 'number' || Number.isNaN(timeout))) {
    throw new TypeError(`dial: timeout must be a number of ms, got ${String(timeout)}`);
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
  local: TCPAddr | undefined,
  limits: Limits,
): Promise<TCPAddr[]> {
  checkNetwork(network);
  if (address === '') throw new Error('missing address');
  const list = await within(net.stack.clock, limits, address, (signal) =>
    resolveList(network, address, { resolver: net.resolver, services: net.services, signal }),
  );
  if (local === undefined) return list;
  if (!(local instanceof TCPAddr)) throw new AddrError('mismatched local address type', String(local));
  const fitting = list.filter(
    (remote) => local.isWildcard || remote.isWildcard || remote.ip?.family === local.ip?.family,
  );
  if (fitting.length === 0) throw new AddrError(NO_SUITABLE_ADDRESS, local.toString());
  return fitting;
}
