/**
 * The endpoints of a port that many hold, by address and peer (Linux's hash2 and hash4). A score is the higher the more of the two fits, whatever else there is to it: so the kinds
 * are asked one after the other, and the first that has somebody has the best.
 */
import type { UdpEndpoint } from '../udp/endpoint.ts';
import { hashAddress, hashOfAddress } from './hash-address.ts';
import type { DatagramEnds } from './udp-table.ts';

/** Bound to the very address and connected; bound to it; connected; neither. */
export const KINDS = 4;

const NO_PEER = 0;

export class EndpointIndex {
  readonly #kinds: readonly Map<number, UdpEndpoint[]>[] = Array.from({ length: KINDS }, () => new Map());
  /** Linux: connected to port 0 is connected to all of them; whoever is has a place of his own. */
  #portless = false;

  /** @param list in the order in which equals are asked */
  constructor(list: readonly UdpEndpoint[]) {
    this.#portless = list.some(({ remote, remotePort }) => remote !== undefined && remotePort === 0);
    for (const endpoint of list) {
      const { local, remote, remotePort } = endpoint;
      const kind = (local.isUnspecified ? 2 : 0) + (remote === undefined ? 1 : 0);
      const peer = remote === undefined ? NO_PEER : this.#peerHash(hashOfAddress(remote), remotePort);
      const hash = hashAddress(0, 0, peer, local.isUnspecified ? 0 : hashOfAddress(local));
      const some = this.#kinds[kind]?.get(hash);
      if (some === undefined) this.#kinds[kind]?.set(hash, [endpoint]);
      else some.push(endpoint);
    }
  }

  /** Those of a kind among which the one for a datagram would be; others with the same hash may be there, too. */
  find(kind: number, { s0, s1, s2, s3, d0, d1, d2, d3 }: DatagramEnds, remotePort: number): UdpEndpoint[] | undefined {
    const some = this.#kinds[kind] as Map<number, UdpEndpoint[]>;
    if (some.size === 0) return undefined;
    const peer = (kind & 1) === 1 ? NO_PEER : this.#peerHash(hashAddress(s0, s1, s2, s3), remotePort);
    return some.get(hashAddress(0, 0, peer, kind >= 2 ? 0 : hashAddress(d0, d1, d2, d3)));
  }

  #peerHash(address: number, port: number): number {
    return this.#portless ? address : hashAddress(0, 0, address, port);
  }
}
