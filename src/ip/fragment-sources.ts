/** How many fragments have come from whom, as long as datagrams of theirs are not whole: what Linux's `ipfrag_max_dist` is measured by. */
import { halfSipHash13 } from '../wire/siphash.ts';
import { type Keyed, KeyedTable } from './keyed-table.ts';

export class FragmentSource implements Keyed<FragmentSource> {
  hash = 0;
  chained: FragmentSource | undefined;
  readonly address: number;
  /** Fragments that came. */
  count = 0;
  /** Datagrams that are not whole. */
  datagrams = 0;

  constructor(address: number) {
    this.address = address;
  }
}

export class FragmentSources {
  readonly #key0: number;
  readonly #key1: number;
  readonly #table = new KeyedTable<FragmentSource>();

  /** The key of the hash, 64 bits of chance. */
  constructor(key0: number, key1: number) {
    this.#key0 = key0;
    this.#key1 = key1;
  }

  get size(): number {
    return this.#table.size;
  }

  /** For another datagram from that IPv4 address. */
  join(address: number): FragmentSource {
    const hash = halfSipHash13(this.#key0, this.#key1, address, 0, 0);
    let source = this.#table.first(hash);
    while (source !== undefined && source.address !== address) source = source.chained;
    if (source === undefined) {
      source = new FragmentSource(address);
      source.hash = hash;
      this.#table.add(source);
    }
    source.datagrams++;
    return source;
  }

  /** For a datagram that is gone. */
  leave(source: FragmentSource | undefined): void {
    if (source !== undefined && --source.datagrams === 0) this.#table.remove(source);
  }
}
