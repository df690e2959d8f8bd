/**
 * epoll(7): which of many sockets are ready, level- and edge-triggered, without asking each. Nothing waits: `wait` gives what there is, and `onReady`
 * says when there is something again.
 */
import { shown } from '../arguments.ts';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLET, EPOLLONESHOT, POLLERR, POLLHUP } from './constants.ts';
import { EBADF, EEXIST, EINVAL, ENOENT } from './errno.ts';

/** What can be watched: a socket of either kind. */
export interface Pollable {
  /** Those that watch it; undefined: nobody does. */
  pollers: Set<Epoll> | undefined;
  readonly isClosed: boolean;
  /** poll(2). */
  poll(): number;
}

export interface EpollEvent<T> {
  /** Of those asked for, and POLLERR and POLLHUP. */
  readonly events: number;
  readonly data: T;
}

interface Watch<T> {
  events: number;
  data: T;
}

/** Reported whether asked for or not. */
const ALWAYS = POLLERR | POLLHUP;

export class Epoll<T = unknown> {
  /**
   * Told, at most once for each time that a socket becomes ready in a batch, that `wait` may give something. Called from inside the stack's loop:
   * it must not throw; calls on sockets are allowed.
   */
  onReady: (() => void) | undefined;
  readonly #watches = new Map<Pollable, Watch<T>>();
  /** Those that may have something to tell, the longest waiting first. */
  readonly #ready = new Set<Pollable>();
  #isClosed = false;

  /** Sockets that are watched. */
  get size(): number {
    return this.#watches.size;
  }

  /**
   * epoll_ctl(2): EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL. `events` are those of poll, with EPOLLET (edges) and EPOLLONESHOT (one event,
   * then none until EPOLL_CTL_MOD); `data` comes back with each event.
   * @returns 0, -EEXIST (added before), -ENOENT (not there), -EBADF (closed), -EINVAL
   * @throws TypeError for what is no socket, and events that are no number
   */
  ctl(operation: number, socket: Pollable, events = 0, data?: T): number {
    if (typeof (socket as Pollable | undefined)?.poll !== 'function')
      throw new TypeError(`epoll.ctl: the socket must be one of this host, got ${shown(socket)}`);
    if (typeof events !== 'number') throw new TypeError(`epoll.ctl: events must be a number, got ${shown(events)}`);
    if (this.#isClosed || socket.isClosed) return -EBADF;
    const known = this.#watches.get(socket);
    switch (operation) {
      case EPOLL_CTL_ADD:
        if (known !== undefined) return -EEXIST;
        socket.pollers ??= new Set();
        socket.pollers.add(this as Epoll);
        break;
      case EPOLL_CTL_MOD:
        if (known === undefined) return -ENOENT;
        break;
      case EPOLL_CTL_DEL:
        if (known === undefined) return -ENOENT;
        this.forget(socket);
        return 0;
      default:
        return -EINVAL;
    }
    const watch: Watch<T> = { events, data: data as T };
    this.#watches.set(socket, watch);
    this.#ready.delete(socket);
    // Linux: what is ready now is told, edges too.
    this.#look(socket, watch);
    return 0;
  }

  /** epoll_wait(2), without waiting: at most `most` events. Edge-triggered ones are told once, level-triggered ones as long as they last. */
  wait(most = Infinity): EpollEvent<T>[] {
    const found: EpollEvent<T>[] = [];
    for (const socket of [...this.#ready]) {
      if (found.length >= most) break;
      const watch = this.#watches.get(socket) as Watch<T>;
      const events = socket.poll() & (watch.events | ALWAYS);
      this.#ready.delete(socket);
      if (events === 0 || disarmed(watch)) continue;
      found.push({ events, data: watch.data });
      if ((watch.events & EPOLLONESHOT) !== 0) watch.events = EPOLLONESHOT;
      // It goes to the end, so that everybody has a turn (Linux).
      else if ((watch.events & EPOLLET) === 0) this.#ready.add(socket);
    }
    return found;
  }

  /** close(2): nothing is watched any more. @returns 0 or -EBADF */
  close(): number {
    if (this.#isClosed) return -EBADF;
    this.#isClosed = true;
    for (const socket of [...this.#watches.keys()]) this.forget(socket);
    this.onReady = undefined;
    return 0;
  }

  /** For sockets: something has changed. */
  changed(socket: Pollable): void {
    const watch = this.#watches.get(socket);
    if (watch !== undefined && this.#look(socket, watch)) this.onReady?.();
  }

  /** For sockets that close, too: Linux forgets a closed socket by itself. */
  forget(socket: Pollable): void {
    this.#watches.delete(socket);
    this.#ready.delete(socket);
    socket.pollers?.delete(this as Epoll);
    if (socket.pollers?.size === 0) socket.pollers = undefined;
  }

  /** @returns whether there is something to tell. As on Linux every event is an edge: new bytes too, when others are still unread */
  #look(socket: Pollable, watch: Watch<T>): boolean {
    if ((socket.poll() & (watch.events | ALWAYS)) === 0 || disarmed(watch)) return false;
    this.#ready.add(socket);
    return true;
  }
}

/** Its one event has been told. */
function disarmed({ events }: Watch<unknown>): boolean {
  return events === EPOLLONESHOT;
}
