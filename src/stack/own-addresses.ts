/** The host's own addresses, whichever interface they are of: one look tells whether an address is among them, however many there are. */
import { type Keyed, KeyedTable } from '../ip/keyed-table.ts';
import type { InterfaceAddress } from '../link/link.ts';
import type { IpAddress } from '../wire/address.ts';
import { hashAddress } from './hash-address.ts';

export class OwnAddress implements Keyed<OwnAddress> {
  readonly address: IpAddress;
  /** Index of the interface that has it. */
  readonly device: number;
  readonly hash: number;
  chained: OwnAddress | undefined;

  constructor(address: IpAddress, device: number, hash: number) {
    this.address = address;
    this.device = device;
    this.hash = hash;
  }
}

export class OwnAddresses {
  readonly #table = new KeyedTable<OwnAddress>();
  /** The last addresses of the networks of IPv4. */
  readonly #broadcasts = new Set<number>();

  /** Of an address that two interfaces have, the first one's counts. */
  add({ address, bits }: InterfaceAddress, device: number): void {
    const { family, w0, w1, w2, w3 } = address;
    if (this.find(w0, w1, w2, w3) === undefined)
      this.#table.add(new OwnAddress(address, device, hashAddress(w0, w1, w2, w3)));
    // RFC 3021: a network of two addresses has none.
    if (family === 4 && bits <= 30) this.#broadcasts.add(w3 | (bits === 0 ? -1 : -1 >>> bits));
  }

  /** The one with these words. The hot path: no closures. */
  find(w0: number, w1: number, w2: number, w3: number): OwnAddress | undefined {
    for (let own = this.#table.first(hashAddress(w0, w1, w2, w3)); own !== undefined; own = own.chained) {
      const { address } = own;
      if (address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0) return own;
    }
    return undefined;
  }

  /** Whether an IPv4 address, as a number, is that of all hosts of one of the networks. */
  isBroadcast(word: number): boolean {
    return this.#broadcasts.has(word);
  }
}
