/**
 * What fragments wait in: pages of 1 KiB, each with a table of which of its bytes have come. RFC 791 3.2 ("fragment received bit table").
 *
 * Bytes lie at the place in the page that they have in the datagram, so that a fragment needs no record of its own, and what a
 * fragment of 8 bytes can hold is one page, never the chunk that it came in. Pages are cut from chunks of the slab, which get
 * them back as soon as none of their pages is in use.
 */
import { CHUNK_SIZE, type Chunk, type Slab } from '../link/slab.ts';

/** Bytes of a datagram that a page has room for. */
export const PAGE_SIZE = 1024;
/** RFC 791 3.2: fragments begin and end at multiples of 8 bytes, but for the end of the datagram: a bit stands for 8. */
const UNIT_BITS = 3;
const UNITS = PAGE_SIZE >> UNIT_BITS;
const TABLE_SIZE = UNITS >> 3;
const STRIDE = PAGE_SIZE + TABLE_SIZE;
const PAGES_OF_SHEET = Math.floor(CHUNK_SIZE / STRIDE);
/** What a page takes, bytes: itself, and the objects that stand for it. */
export const PAGE_COST: number = STRIDE + 80;

/** A chunk that is cut into pages. */
class Sheet {
  readonly chunk: Chunk;
  /** Pages that have been cut off, and of those the ones that lie here unused. */
  cut = 0;
  unused: FragmentPage | undefined;
  inUse = 0;
  /** Where it stands among the sheets that have room; -1: it has none. */
  place = -1;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
  }
}

export class FragmentPage {
  readonly sheet: Sheet;
  readonly chunk: Chunk;
  /** Where its bytes begin in the chunk. */
  readonly offset: number;
  /** Which page of the datagram it is: its bytes begin at `index * PAGE_SIZE`. */
  index = 0;
  /** The next in its owner's list. */
  next: FragmentPage | undefined;

  constructor(sheet: Sheet, offset: number) {
    this.sheet = sheet;
    this.chunk = sheet.chunk;
    this.offset = offset;
  }

  /** Nothing has come. */
  clear(): void {
    this.next = undefined;
    this.chunk.bytes.fill(0, this.offset + PAGE_SIZE, this.offset + STRIDE);
  }

  /** How many of the units of 8 bytes between two offsets in the page have come; the end is rounded up. */
  count(from: number, to: number): number {
    const { view } = this.chunk;
    let count = 0;
    const last = (to + 7) >> UNIT_BITS;
    for (let unit = from >> UNIT_BITS; unit < last; unit = (unit | 31) + 1) {
      count += bitsOf(view.getInt32(this.#wordOf(unit)) & maskOf(unit, last));
    }
    return count;
  }

  /** Puts bytes at an offset in the page, and notes that they have come. */
  write(at: number, from: Chunk, offset: number, length: number): void {
    const { bytes, view } = this.chunk;
    bytes.set(from.bytes.subarray(offset, offset + length), this.offset + at);
    const last = (at + length + 7) >> UNIT_BITS;
    for (let unit = at >> UNIT_BITS; unit < last; unit = (unit | 31) + 1) {
      const word = this.#wordOf(unit);
      view.setInt32(word, view.getInt32(word) | maskOf(unit, last));
    }
  }

  #wordOf(unit: number): number {
    return this.offset + PAGE_SIZE + ((unit >> 5) << 2);
  }
}

/** The bits of the units from `unit` up to `last`, as far as they lie in one word. */
function maskOf(unit: number, last: number): number {
  const start = unit & 31;
  const count = Math.min(32 - start, last - unit);
  return (count === 32 ? -1 : (1 << count) - 1) << start;
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}

export class FragmentPages {
  readonly #slab: Slab;
  /** Those that have pages to give. */
  readonly #sheets: Sheet[] = [];

  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** A page in which nothing has come. */
  take(index: number): FragmentPage {
    const sheet = this.#sheets.at(-1) ?? this.#newSheet();
    const page = sheet.unused ?? new FragmentPage(sheet, sheet.cut++ * STRIDE);
    if (page === sheet.unused) sheet.unused = page.next;
    sheet.inUse++;
    if (sheet.inUse === PAGES_OF_SHEET) this.#setAside(sheet);
    page.clear();
    page.index = index;
    return page;
  }

  /** Takes back the page and those that follow it in its list. */
  giveBack(first: FragmentPage | undefined): void {
    let page = first;
    while (page !== undefined) {
      const { next, sheet } = page;
      page.next = sheet.unused;
      sheet.unused = page;
      if (sheet.place < 0) this.#offer(sheet);
      if (--sheet.inUse === 0) {
        this.#setAside(sheet);
        sheet.chunk.release();
      }
      page = next;
    }
  }

  #newSheet(): Sheet {
    const sheet = new Sheet(this.#slab.take());
    this.#offer(sheet);
    return sheet;
  }

  #offer(sheet: Sheet): void {
    sheet.place = this.#sheets.length;
    this.#sheets.push(sheet);
  }

  #setAside(sheet: Sheet): void {
    const last = this.#sheets.pop() as Sheet;
    if (last !== sheet) {
      this.#sheets[sheet.place] = last;
      last.place = sheet.place;
    }
    sheet.place = -1;
  }
}
