/** File descriptors as the script numbers them. */
import { ScriptFailure } from './errors.ts';
import type { TestSocket } from './target.ts';

export interface SocketDescriptor {
  readonly kind: 'socket';
  readonly socket: TestSocket;
  /** O_NONBLOCK. */
  nonBlocking: boolean;
  /** Bytes that were written. */
  written: number;
}

export interface EpollDescriptor {
  readonly kind: 'epoll';
  /** By descriptor. */
  readonly watched: Map<number, Watch>;
}

/** A descriptor that epoll watches. */
export interface Watch {
  /** As epoll_ctl gave them; 0: a one-shot that has been shot. */
  events: number;
  /** Of an edge-triggered one: what was ready when somebody last looked, and how much there was to read then. */
  mask: number;
  readable: number;
  /** Of an edge-triggered one: something has come since it was reported. */
  fresh: boolean;
}

type Descriptor = SocketDescriptor | EpollDescriptor;

export class Descriptors {
  readonly #open = new Map<number, Descriptor>();

  /** @param number what the script calls it; undefined: the lowest that is free */
  add(number: number | undefined, descriptor: Descriptor): number {
    let free = 3;
    while (this.#open.has(free)) free++;
    const chosen = number ?? free;
    if (this.#open.has(chosen)) throw new ScriptFailure(`the script calls two open descriptors ${chosen}`);
    this.#open.set(chosen, descriptor);
    return chosen;
  }

  /** @returns undefined for a descriptor that is not open: the call gives EBADF */
  get(number: number): Descriptor | undefined {
    return this.#open.get(number);
  }

  /** What is closed nobody watches any more. */
  remove(number: number): void {
    this.#open.delete(number);
    for (const { watched } of this.epolls()) watched.delete(number);
  }

  /** The descriptor of a socket. */
  of(socket: TestSocket): SocketDescriptor | undefined {
    for (const each of this.#open.values()) if (each.kind === 'socket' && each.socket === socket) return each;
    return undefined;
  }

  epolls(): EpollDescriptor[] {
    return [...this.#open.values()].flatMap((each) => (each.kind === 'epoll' ? [each] : []));
  }

  sockets(): TestSocket[] {
    return [...this.#open.values()].flatMap((each) => (each.kind === 'socket' ? [each.socket] : []));
  }
}
