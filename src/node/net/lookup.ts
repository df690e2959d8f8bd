/** Names to addresses, in the form of `dns.lookup`: what `connect` and `listen` use when they are given no `lookup` of their own. */
import { ADDRCONFIG, ALL, V4MAPPED } from 'node:dns';
import { isIP } from 'node:net';
import { DNSError } from '../../net/errors.ts';
import { invalidArgValue } from './node-errors.ts';
import type { Place } from './place.ts';
import { lookupError } from './system-errors.ts';

export interface LookedUp {
  readonly address: string;
  readonly family: number;
}

export interface LookupOptions {
  readonly family?: number | string | undefined;
  readonly hints?: number | undefined;
  readonly all?: boolean | undefined;
}

/** With `all`: a list; else the first address and its family. */
export type LookupCallback = (error: Error | null, found?: string | LookedUp[], family?: number) => void;
export type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void;

/** Asks the resolver of the host. */
export function hostLookup(place: Place): Lookup {
  return (hostname, options, callback) => {
    checkOptions(options);
    place.host.lookupHost(hostname).then(
      (found) => {
        const list = suitable(place, found, options);
        if (list.length === 0) later(callback, lookupError(hostname));
        else if (options.all === true) later(callback, null, list);
        else later(callback, null, list[0]?.address, list[0]?.family);
      },
      (error: unknown) => later(callback, failure(hostname, error)),
    );
  };
}

/** @throws TypeError as dns.lookup */
function checkOptions({ hints = 0, family }: LookupOptions): void {
  if ((hints & ~(ADDRCONFIG | V4MAPPED | ALL)) !== 0) throw invalidArgValue('hints', hints);
  if (![0, 4, 6, 'IPv4', 'IPv6'].includes(family ?? 0))
    throw invalidArgValue('options.family', family, 'must be one of: 0, 4, 6');
}

/** What the callback throws is nobody's rejection. */
function later(callback: LookupCallback, ...args: Parameters<LookupCallback>): void {
  process.nextTick(callback, ...args);
}

function suitable(place: Place, found: readonly string[], { family, hints = 0 }: LookupOptions): LookedUp[] {
  // ADDRCONFIG: addresses of a family that the host does not speak are of no use.
  const without6 = (hints & ADDRCONFIG) !== 0 && !place.hasIpv6;
  const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
  return found
    .map((address) => ({ address, family: isIP(address) }))
    .filter((one) => !(without6 && one.family === 6) && (!wanted || one.family === wanted));
}

function failure(hostname: string, error: unknown): Error {
  const code = error instanceof DNSError && error.isTemporary ? 'EAI_AGAIN' : 'ENOTFOUND';
  return lookupError(hostname, code, error);
}
