/**
 * The armed timers of a clock, earliest first, ties in arming order: a binary heap in which each timer knows its place.
 *
 * A clock has a handful of these (one per stack, a few per link); the many deadlines of connections are in `deadlines.ts`.
 */
import { shown } from '../arguments.ts';
import type { Timer } from './clock.ts';

export class QueuedTimer implements Timer {
  readonly callback: () => void;
  readonly background: boolean;
  readonly #queue: TimerQueue;
  /** When it is due, ms; Infinity: not armed. */
  at = Infinity;
  /** Arming order, which breaks ties. */
  order = 0;
  /** Its place in the heap; -1: not armed. */
  place = -1;

  constructor(queue: TimerQueue, callback: () => void, background: boolean) {
    this.#queue = queue;
    this.callback = callback;
    this.background = background;
  }

  set(at: number): void {
    // Written so that NaN fails too.
    if (typeof at !== 'number' || !(at > -Infinity))
      throw new RangeError(`timer.set: at must be a time in ms, got ${shown(at)}`);
    if (at === Infinity) this.#queue.clear(this);
    else this.#queue.set(this, at);
  }

  clear(): void {
    this.#queue.clear(this);
  }
}

export class TimerQueue {
  readonly #heap: QueuedTimer[] = [];
  readonly #changed: () => void;
  #order = 0;
  #foreground = 0;

  /** `changed` is called after each arming and clearing, for a clock that keeps a real timer in step. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get foreground(): number {
    return this.#foreground;
  }

  get background(): number {
    return this.#heap.length - this.#foreground;
  }

  /** When the earliest timer is due, ms; Infinity: none is armed. */
  next(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  /** When the earliest foreground timer is due, ms; Infinity: none is armed. For people and errors: it looks at all. */
  nextForeground(): number {
    let next = Infinity;
    for (const timer of this.#heap) if (!timer.background && timer.at < next) next = timer.at;
    return next;
  }

  set(timer: QueuedTimer, at: number): void {
    timer.at = at;
    timer.order = ++this.#order;
    if (timer.place < 0) {
      timer.place = this.#heap.push(timer) - 1;
      if (!timer.background) this.#foreground++;
    }
    this.#down(this.#up(timer));
    this.#changed();
  }

  clear(timer: QueuedTimer): void {
    timer.at = Infinity;
    if (timer.place < 0) return;
    this.#remove(timer);
    this.#changed();
  }

  /**
   * Fires what is due at `now` and was armed before the call, in order. What a callback arms, even for a time gone by, waits
   * for the next call; what it clears does not fire.
   */
  fireDue(now: number): void {
    const last = this.#order;
    const rearmed: QueuedTimer[] = [];
    try {
      for (;;) {
        const timer = this.#heap[0];
        if (timer === undefined || timer.at > now) break;
        this.#remove(timer);
        if (timer.order > last) rearmed.push(timer);
        else {
          timer.at = Infinity;
          timer.callback();
        }
      }
    } finally {
      // They keep the place in the order that they were armed at, unless somebody has armed them again meanwhile.
      for (const timer of rearmed) this.#restore(timer);
      this.#changed();
    }
  }

  #restore(timer: QueuedTimer): void {
    if (timer.place >= 0 || timer.at === Infinity) return;
    timer.place = this.#heap.push(timer) - 1;
    if (!timer.background) this.#foreground++;
    this.#up(timer);
  }

  #remove(timer: QueuedTimer): void {
    const last = this.#heap.pop() as QueuedTimer;
    if (last !== timer) {
      last.place = timer.place;
      this.#heap[last.place] = last;
      this.#down(this.#up(last));
    }
    timer.place = -1;
    if (!timer.background) this.#foreground--;
  }

  #up(timer: QueuedTimer): QueuedTimer {
    while (timer.place > 0) {
      const parent = this.#heap[(timer.place - 1) >> 1] as QueuedTimer;
      if (!before(timer, parent)) break;
      this.#swap(parent, timer);
    }
    return timer;
  }

  #down(timer: QueuedTimer): void {
    for (;;) {
      const left = this.#heap[2 * timer.place + 1];
      const right = this.#heap[2 * timer.place + 2];
      if (left === undefined) break;
      const child = right !== undefined && before(right, left) ? right : left;
      if (!before(child, timer)) break;
      this.#swap(timer, child);
    }
  }

  /** Moves `lower` above `upper`, its parent. */
  #swap(upper: QueuedTimer, lower: QueuedTimer): void {
    const place = upper.place;
    this.#heap[lower.place] = upper;
    upper.place = lower.place;
    this.#heap[place] = lower;
    lower.place = place;
  }
}

function before(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
