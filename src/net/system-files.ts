/** Files of the machine that a resolver may be told to look at. The reader is handed in (`systemFiles` of createHost). */
import type { Clock } from '../time/clock.ts';

export interface SystemFiles {
  /** Changes when the file does; undefined: there is none, or it cannot be read. Must not throw. */
  stamp(path: string): string | undefined;
  /** Its text; undefined: there is none, or it cannot be read. Must not throw. */
  read(path: string): string | undefined;
  /** The name of the machine, with its domain when it has one. */
  hostname(): string;
}

/** Go: how long a file is taken to be as it was, ms. */
const MAX_AGE = 5000;

/** What a file says, read again when it has changed; looked at no more often than every 5 s. */
export class SystemFile<T> {
  readonly #files: SystemFiles;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #parse: (text: string) => T;
  #value: T;
  #stamp: string | undefined;
  #checkedAt = -Infinity;
  /** False: what was read once stays (`options no-reload`). */
  reloads = true;

  /** What `parse` makes of an empty text is said of a file that is not there. */
  constructor(files: SystemFiles, path: string, clock: Clock, parse: (text: string) => T) {
    this.#files = files;
    this.#path = path;
    this.#clock = clock;
    this.#parse = parse;
    this.#value = parse('');
  }

  get value(): T {
    const now = this.#clock.now();
    if (now - this.#checkedAt < MAX_AGE || (!this.reloads && this.#checkedAt !== -Infinity)) return this.#value;
    this.#checkedAt = now;
    const stamp = this.#files.stamp(this.#path);
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      this.#value = this.#parse((stamp === undefined ? undefined : this.#files.read(this.#path)) ?? '');
    }
    return this.#value;
  }
}
