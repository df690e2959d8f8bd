/** Where the addresses of names come from: an interface, and what answers when nothing is plugged in. */
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { isLocalhost } from './dns-names.ts';
import { DNSError } from './errors.ts';

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

/** Knows `localhost`, and the names under it, and nothing else. */
export const localResolver: Resolver = {
  async lookupHost(name: string): Promise<readonly IpAddress[]> {
    // RFC 6761 6.3: localhost means the loopback addresses, and no server is asked.
    if (isLocalhost(name)) return [IPV4_LOOPBACK, IPV6_LOOPBACK];
    throw new DNSError('no such host', name, { isNotFound: true });
  },
};
