/** Where the addresses of names come from: an interface, and what answers when nothing is plugged in. */

import { checkNames, shown } from '../arguments.ts';
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { wrongSignal } from './conn.ts';
import { isLocalhost } from './dns-names.ts';
import { DNSError, UnknownNetworkError } from './errors.ts';
import { checkText } from './host-port.ts';

export interface LookupOptions {
  /** Ends the lookup: it fails with `operation was canceled`, or with `i/o timeout` for an `AbortSignal.timeout`. */
  readonly signal?: AbortSignal | undefined;
  /** The family that is wanted; those of the other may be given all the same. Default: ip, which is both. */
  readonly network?: 'ip' | 'ip4' | 'ip6' | undefined;
}

export interface Resolver {
  /**
   * The addresses of a name, in the order to try them: as IpAddress or as literals, which may have a zone. Names that are literals never get here.
   * The signal aborts when nobody waits any more.
   * @throws DNSError (as a rejection) when there are none
   */
  lookupHost(name: string, options: LookupOptions): Promise<readonly (IpAddress | string)[]>;
}

/** @throws TypeError for options, or a signal, that are none; UnknownNetworkError */
export function checkLookup(caller: string, options: LookupOptions): void {
  checkNames(caller, options, ['signal', 'network'] satisfies (keyof LookupOptions)[]);
  const { signal, network = 'ip' } = options;
  const wrong = wrongSignal(caller, signal);
  if (wrong !== undefined) throw wrong;
  if (network !== 'ip' && network !== 'ip4' && network !== 'ip6') throw new UnknownNetworkError(shown(network));
}

/** Knows `localhost`, and the names under it, and nothing else. */
export const localResolver: Resolver = {
  async lookupHost(name: string, options: LookupOptions = {}): Promise<readonly IpAddress[]> {
    checkText('lookup: name', name);
    checkLookup('lookup', options);
    // RFC 6761 6.3: localhost means the loopback addresses, and no server is asked.
    if (isLocalhost(name)) return [IPV4_LOOPBACK, IPV6_LOOPBACK];
    throw new DNSError('no such host', name, { isNotFound: true });
  },
};
