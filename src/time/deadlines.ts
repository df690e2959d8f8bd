/**
 * The timer table of a stack: one row per connection, K deadlines per row, and a heap of rows by their earliest.
 *
 * Times are exact. Moving a deadline later is a store: the row's entry in the heap stays where it is, too early, and is
 * looked at when it comes to the top. Ties between rows go to the row whose earliest deadline was set first (one whose earliest was
 * cleared keeps its place). Nothing is allocated but when the table grows. Why a heap: docs/decisions/deadline-heap.md.
 */

const FIRST_ROWS = 16;
/** Values of `#place` for a row that is not in the heap. */
const NOWHERE = -1;
const SERVED = -2;
const FREE = -3;

export class Deadlines {
  readonly #kinds: number;
  /** When each kind of each row is due, ms; Infinity: not set. */
  #at: Float64Array<ArrayBuffer>;
  /** The least of a row's deadlines, and when, in arming order, it was set. */
  #earliest: Float64Array<ArrayBuffer>;
  #order: Float64Array<ArrayBuffer>;
  /** Where a row stands in the heap, or why it does not. */
  #place: Int32Array<ArrayBuffer>;
  /** Rows; each is not later than its four children at 4i+1..4i+4. */
  #heap: Int32Array<ArrayBuffer>;
  /** What each place of the heap stands by, never later than its row's `#earliest` and `#order`. By place: children lie together. */
  #keyAt: Float64Array<ArrayBuffer>;
  #keyOrder: Float64Array<ArrayBuffer>;
  #heapLength = 0;
  readonly #freeRows: number[] = [];
  #rows = 0;
  #size = 0;
  #armed = 0;
  /** Rows that `popDue` has given out in this round: they come back into the heap when it ends. */
  readonly #served: number[] = [];

  /** @throws RangeError when `kinds` is not an integer >= 1 */
  constructor(kinds: number) {
    if (!Number.isInteger(kinds) || kinds < 1)
      throw new RangeError(`Deadlines: kinds must be an integer >= 1, got ${kinds}`);
    this.#kinds = kinds;
    this.#at = new Float64Array(FIRST_ROWS * kinds);
    this.#earliest = new Float64Array(FIRST_ROWS);
    this.#order = new Float64Array(FIRST_ROWS);
    this.#keyAt = new Float64Array(FIRST_ROWS);
    this.#keyOrder = new Float64Array(FIRST_ROWS);
    this.#place = new Int32Array(FIRST_ROWS).fill(FREE);
    this.#heap = new Int32Array(FIRST_ROWS);
  }

  /** Rows allocated and not freed. */
  get size(): number {
    return this.#size;
  }

  /** A row with nothing set. */
  allocate(): number {
    const row = this.#freeRows.pop() ?? this.#rows++;
    if (row === this.#place.length) this.#grow();
    this.#place[row] = NOWHERE;
    this.#at.fill(Infinity, row * this.#kinds, (row + 1) * this.#kinds);
    this.#earliest[row] = Infinity;
    this.#size++;
    return row;
  }

  /** @throws Error when the row is free: it may be another connection's soon */
  free(row: number): void {
    if (!(row >= 0 && row < this.#rows) || this.#place[row] === FREE)
      throw new Error(`Deadlines: row ${row} is not allocated`);
    if ((this.#place[row] as number) >= 0) this.#remove(row);
    this.#place[row] = FREE;
    this.#freeRows.push(row);
    this.#size--;
  }

  /**
   * Sets one deadline of an allocated row, ms; Infinity clears it.
   * @throws RangeError when `at` is not a number: a deadline computed wrongly would never come, and no other of the table
   */
  set(row: number, kind: number, at: number): void {
    if (Number.isNaN(at)) throw new RangeError(`Deadlines: row ${row}, kind ${kind}: at is NaN`);
    const index = row * this.#kinds + kind;
    const old = this.#at[index] as number;
    this.#at[index] = at;
    const earliest = this.#earliest[row] as number;
    if (at > earliest) {
      // Later than another, or it was the earliest itself and has moved later: then the row's earliest is to be found again.
      if (old !== earliest || !this.#findEarliest(row, at)) return;
    } else {
      this.#earliest[row] = at;
    }
    if (at === Infinity) return;
    this.#order[row] = ++this.#armed;
    const place = this.#place[row] as number;
    if (place >= 0) {
      if (at < (this.#keyAt[place] as number)) this.#rise(row, place);
    } else if (place === NOWHERE) {
      this.#rise(row, this.#heapLength++);
    }
  }

  clear(row: number, kind: number): void {
    const index = row * this.#kinds + kind;
    const old = this.#at[index] as number;
    this.#at[index] = Infinity;
    if (old === this.#earliest[row]) this.#findEarliest(row, Infinity);
  }

  /** When that deadline is due, ms; Infinity: it is not set. */
  at(row: number, kind: number): number {
    return this.#at[row * this.#kinds + kind] as number;
  }

  /** When the first of the row's deadlines is due, ms; Infinity: none is set. */
  earliest(row: number): number {
    return this.#earliest[row] as number;
  }

  /** Clears that deadline if it is due; returns whether it was. */
  takeDue(row: number, kind: number, now: number): boolean {
    if ((this.#at[row * this.#kinds + kind] as number) > now) return false;
    this.clear(row, kind);
    return true;
  }

  /** When the first deadline of the table is due, ms; Infinity: none is set. Ends a round of `popDue`. */
  next(): number {
    this.#endRound();
    this.#settleTop();
    return this.#heapLength === 0 ? Infinity : (this.#keyAt[0] as number);
  }

  /**
   * A row whose earliest deadline is due, earliest first, or -1: then the round is over. The caller asks `takeDue` for each
   * kind. A row comes once per round, whatever is set, cleared or left on it meanwhile: a round always ends, and what is due again
   * by then comes in the next one (`next()` says so).
   */
  popDue(now: number): number {
    this.#settleTop();
    if (this.#heapLength === 0 || (this.#keyAt[0] as number) > now) {
      this.#endRound();
      return -1;
    }
    const row = this.#heap[0] as number;
    this.#remove(row);
    this.#place[row] = SERVED;
    this.#served.push(row);
    return row;
  }

  #endRound(): void {
    for (let i = 0; i < this.#served.length; i++) {
      const row = this.#served[i] as number;
      // Freed meanwhile, perhaps allocated anew, and then in the heap by its own doing.
      if (this.#place[row] !== SERVED) continue;
      this.#place[row] = NOWHERE;
      if (this.#earliest[row] !== Infinity) this.#rise(row, this.#heapLength++);
    }
    this.#served.length = 0;
  }

  /** Finds the row's earliest deadline; returns whether it is `at`. */
  #findEarliest(row: number, at: number): boolean {
    const end = (row + 1) * this.#kinds;
    let earliest = Infinity;
    for (let i = end - this.#kinds; i < end; i++) {
      const other = this.#at[i] as number;
      if (other < earliest) earliest = other;
    }
    this.#earliest[row] = earliest;
    return earliest === at;
  }

  /** Brings entries that stand too early to where they belong, until the top is true. */
  #settleTop(): void {
    while (this.#heapLength > 0) {
      const row = this.#heap[0] as number;
      const earliest = this.#earliest[row] as number;
      const order = this.#order[row] as number;
      if (this.#keyAt[0] === earliest && this.#keyOrder[0] === order) return;
      if (earliest === Infinity) this.#remove(row);
      else this.#sink(row, earliest, order, 0);
    }
  }

  #remove(row: number): void {
    const place = this.#place[row] as number;
    this.#place[row] = NOWHERE;
    const end = --this.#heapLength;
    if (place === end) return;
    const last = this.#heap[end] as number;
    const at = this.#keyAt[end] as number;
    const order = this.#keyOrder[end] as number;
    if (place > 0 && this.#isBefore(at, order, (place - 1) >> 2)) this.#lift(last, at, order, place);
    else this.#sink(last, at, order, place);
  }

  /** Gives the row its true key, which is earlier than what it had, and lifts it from `place`. */
  #rise(row: number, place: number): void {
    this.#lift(row, this.#earliest[row] as number, this.#order[row] as number, place);
  }

  #lift(row: number, at: number, order: number, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (!this.#isBefore(at, order, parent)) break;
      this.#move(parent, place);
      place = parent;
    }
    this.#put(row, at, order, place);
  }

  #sink(row: number, at: number, order: number, from: number): void {
    let place = from;
    for (;;) {
      const first = 4 * place + 1;
      if (first >= this.#heapLength) break;
      const end = Math.min(first + 4, this.#heapLength);
      let best = first;
      for (let i = first + 1; i < end; i++) {
        if (this.#isBefore(this.#keyAt[i] as number, this.#keyOrder[i] as number, best)) best = i;
      }
      if (this.#isBefore(at, order, best)) break;
      this.#move(best, place);
      place = best;
    }
    this.#put(row, at, order, place);
  }

  #move(from: number, to: number): void {
    this.#put(this.#heap[from] as number, this.#keyAt[from] as number, this.#keyOrder[from] as number, to);
  }

  #put(row: number, at: number, order: number, place: number): void {
    this.#heap[place] = row;
    this.#keyAt[place] = at;
    this.#keyOrder[place] = order;
    this.#place[row] = place;
  }

  /** Whether a key comes before that of a place in the heap. */
  #isBefore(at: number, order: number, place: number): boolean {
    const other = this.#keyAt[place] as number;
    return at < other || (at === other && order < (this.#keyOrder[place] as number));
  }

  #grow(): void {
    const old = this.#place.length;
    const rows = old * 2;
    this.#at = grown(this.#at, rows * this.#kinds);
    this.#earliest = grown(this.#earliest, rows);
    this.#order = grown(this.#order, rows);
    this.#keyAt = grown(this.#keyAt, rows);
    this.#keyOrder = grown(this.#keyOrder, rows);
    const place = new Int32Array(rows).fill(FREE);
    place.set(this.#place);
    this.#place = place;
    const heap = new Int32Array(rows);
    heap.set(this.#heap);
    this.#heap = heap;
  }
}

function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(length);
  copy.set(array);
  return copy;
}
