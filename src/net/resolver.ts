/** Where the addresses of names come from: an interface, and what answers when nothing is plugged in. */
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress } from '../wire/address.ts';
import { DNSError } from './errors.ts';

export interface Resolver {
  /**
   * The addresses of a name, in the order to try them. Literals never get here.
   * `signal` aborts when nobody waits any more.
   * @throws DNSError (as a rejection) when there are none
   */
  lookupHost(name: string, options: { signal?: AbortSignal | undefined }): Promise<readonly IpAddress[]>;
}

/** Knows `localhost` and nothing else. */
export const localResolver: Resolver = {
  async lookupHost(name: string): Promise<readonly IpAddress[]> {
    // RFC 6761 6.3: localhost means the loopback addresses, and no server is asked.
    if (/^localhost\.?$/i.test(name)) return [IPV4_LOOPBACK, IPV6_LOOPBACK];
    throw new DNSError('no such host', name, { isNotFound: true });
  },
};
