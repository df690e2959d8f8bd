/** A listening socket under a server. */
import { AsyncResource } from 'node:async_hooks';
import { IPPROTO_IPV6, IPV6_V6ONLY, SO_REUSEADDR, SO_REUSEPORT, SOL_SOCKET } from '../../socket/constants.ts';
import { EAGAIN, ECONNABORTED, EINVAL } from '../../socket/errno.ts';
import type { Watcher } from '../../socket/poll.ts';
import type { Socket } from '../../socket/socket.ts';
import { type AddressInfo, endName, parseEnd } from './end-name.ts';
import { Hold } from './hold.ts';
import type { Place } from './place.ts';
import { StreamHandle } from './stream-handle.ts';

/** Whom it tells of what came. */
export interface ListenOwner {
  /** @param status 0, or -errno and no handle */
  accepted(status: number, handle?: StreamHandle): void;
}

/** What is set before bind. */
export interface ListenFlags {
  readonly ipv6Only: boolean;
  readonly reusePort: boolean;
}

export class ListenHandle implements Watcher {
  owner: ListenOwner | undefined;
  readonly #place: Place;
  readonly #socket: Socket;
  readonly #hold: Hold;
  readonly #context = new AsyncResource('TCPSERVERWRAP');
  #closed = false;
  #due = false;

  private constructor(place: Place, socket: Socket) {
    this.#place = place;
    this.#socket = socket;
    this.#hold = new Hold(place.clock);
  }

  /** One that is bound. @returns it, or -errno */
  static bind(place: Place, address: string, port: number, family: number, flags: ListenFlags): ListenHandle | number {
    const socket = place.open(family);
    if (typeof socket === 'number') return socket;
    const local = parseEnd(socket.stack.network, address, family);
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    if (flags.reusePort) socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
    if (flags.ipv6Only) socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    const status = local === undefined ? -EINVAL : socket.bind({ address: local, port });
    if (status === 0) return new ListenHandle(place, socket);
    socket.close();
    return status;
  }

  /** @returns 0 or -errno */
  listen(backlog: number): number {
    const status = this.#socket.listen(backlog);
    if (status < 0) return status;
    this.#socket.watcher = this;
    this.#hold.set(true);
    return 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    this.#hold.set(false);
  }

  ref(): void {
    this.#hold.referenced = true;
  }

  unref(): void {
    this.#hold.referenced = false;
  }

  name(): AddressInfo | undefined {
    const name = this.#socket.getsockname();
    return typeof name === 'number' ? undefined : endName(this.#socket.stack.network, name, this.#socket.domain);
  }

  /** For the socket. */
  onReady(): void {
    if (this.#due || this.#closed) return;
    this.#due = true;
    process.nextTick(accept, this);
  }

  /** For `accept` alone. When the owner throws, those that wait are still to be accepted. */
  act(): void {
    this.#due = false;
    let done = false;
    try {
      this.#context.runInAsyncScope(this.#acceptAll, this);
      done = true;
    } finally {
      if (!done) this.onReady();
    }
  }

  #acceptAll(): void {
    while (!this.#closed) {
      const next = this.#socket.accept();
      if (next === -EAGAIN) return;
      if (next === -ECONNABORTED) continue;
      if (typeof next === 'number') return this.owner?.accepted(next);
      this.owner?.accepted(0, new StreamHandle(this.#place, next));
    }
  }
}

function accept(handle: ListenHandle): void {
  handle.act();
}
