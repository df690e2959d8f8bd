/** A hash table of objects that carry their own hash and chain: no keys, no entries, nothing allocated but when it grows. */

/** What lies in one. */
export interface Keyed<T> {
  /** int32, of a keyed hash: whoever chooses what is hashed cannot choose this. */
  hash: number;
  /** The next one with the same low bits. */
  chained: T | undefined;
}

const FIRST_CHAINS = 16;

export class KeyedTable<T extends Keyed<T>> {
  #chains: (T | undefined)[] = new Array(FIRST_CHAINS).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first of those among which one with that hash would be; the others follow by `chained`. */
  first(hash: number): T | undefined {
    return this.#chains[hash & (this.#chains.length - 1)];
  }

  /** Adds what is not there. */
  add(entry: T): void {
    if (this.#size >= this.#chains.length) this.#grow();
    this.#put(entry);
    this.#size++;
  }

  remove(entry: T): void {
    const index = entry.hash & (this.#chains.length - 1);
    let before: T | undefined;
    for (let at = this.#chains[index]; at !== undefined; before = at, at = at.chained) {
      if (at !== entry) continue;
      if (before === undefined) this.#chains[index] = entry.chained;
      else before.chained = entry.chained;
      entry.chained = undefined;
      this.#size--;
      return;
    }
  }

  #put(entry: T): void {
    const index = entry.hash & (this.#chains.length - 1);
    entry.chained = this.#chains[index];
    this.#chains[index] = entry;
  }

  #grow(): void {
    const old = this.#chains;
    this.#chains = new Array(old.length * 2).fill(undefined);
    for (const head of old) {
      let entry: T | undefined = head;
      while (entry !== undefined) {
        const { chained }: { chained: T | undefined } = entry;
        this.#put(entry);
        entry = chained;
      }
    }
  }
}
