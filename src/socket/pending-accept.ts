/** A SYN that waited for somebody's decision (stack/pending-syns.ts) is accepted: its SYN-ACK is out, and what comes of it is a socket. */
import type { PendingSyn, PendingSyns } from '../stack/pending-syns.ts';
import type { Stack } from '../stack/stack.ts';
import type { Listener } from '../tcp/listener.ts';
import { TcpSettings } from '../tcp/settings.ts';
import { AF_INET, AF_INET6 } from './constants.ts';
import { Socket } from './socket.ts';

/** @param done told once, later: the socket when the handshake is done; undefined: the peer gave up. @returns undefined: the SYN is not there any more */
export function acceptPending(
  stack: Stack,
  pending: PendingSyns,
  syn: PendingSyn,
  done: (socket: Socket | undefined) => void,
): PendingAccept | undefined {
  const listener = pending.accept(syn, new TcpSettings(stack.sysctl));
  return listener && new PendingAccept(stack, listener, done);
}

export class PendingAccept {
  readonly #stack: Stack;
  readonly #listener: Listener;
  readonly #done: (socket: Socket | undefined) => void;

  /** For `acceptPending`. */
  constructor(stack: Stack, listener: Listener, done: (socket: Socket | undefined) => void) {
    this.#stack = stack;
    this.#listener = listener;
    this.#done = done;
    listener.user = this;
  }

  /** For the stack: the listener has a connection, or has lost its only embryo. */
  ready(): void {
    const taken = this.#listener.take();
    if (taken === undefined || taken === 'aborted') {
      this.cancel();
      return this.#done(undefined);
    }
    this.#listener.user = undefined;
    this.#done(new Socket(this.#stack, taken.local.family === 4 ? AF_INET : AF_INET6, taken));
  }

  /** The handshake is given up, and nobody told. */
  cancel(): void {
    this.#listener.close(this.#stack.clock.now());
  }
}
