/** TCP Fast Open (RFC 7413): what a connection keeps of it. The client is fast-open-client.ts, the server fast-open-server.ts. */
import type { FastOpenKeys } from './fast-open-cookie.ts';
import type { FastOpenQueue } from './fast-open-queue.ts';

/** Linux's tcpi_fastopen_client_fail. */
export const FAIL_NONE = 0;
export const FAIL_NO_COOKIE = 1;
/** The SYN-ACK did not acknowledge the data. */
export const FAIL_NOT_ACKNOWLEDGED = 2;
/** Nor did it after the SYN had been sent again. */
export const FAIL_SYN_RETRANSMITTED = 3;

/** Made for a connection whose user asked for Fast Open, and for one that a SYN has opened fast. */
export class FastOpen {
  /** What the next SYN or SYN-ACK carries: a cookie; an empty one asks for one; undefined: no option. Sent again, they go without. */
  cookie: Uint8Array | undefined;
  experimental = false;

  // Client.
  /** The user's connect() waits for the first write, which sends the SYN. */
  deferred = false;
  /** The SYN had the option. */
  offered = false;
  /** The SYN had data. */
  synData = false;
  /** FAIL_... */
  failure = FAIL_NONE;
  /** Fast Open had been given up: this connection shows whether it works again. */
  trial = false;

  // Server.
  /** RFC 7413 4.2: the SYN opened the connection. */
  child = false;
  /** The listener's queue, in which it has a place until the handshake is over; undefined: it is over. */
  queue: FastOpenQueue | undefined;
  /** The user has it. */
  accepted = false;

  /** The data of the SYN was acknowledged, by the peer or by us. */
  synDataAcked = false;
}

/** What a user sets on a socket; one object for a listener and what it accepts, replaced when something changes. */
export interface FastOpenSettings {
  /** TCP_FASTOPEN: connections opened fast that may wait for the end of their handshake. */
  readonly queueLength: number;
  /** TCP_FASTOPEN_KEY; undefined: the host's. */
  readonly keys: FastOpenKeys | undefined;
  /** TCP_FASTOPEN_CONNECT: connect() leaves the SYN to the first write. */
  readonly connect: boolean;
  /** TCP_FASTOPEN_NO_COOKIE: on either side. */
  readonly noCookie: boolean;
}

export const FAST_OPEN_DEFAULTS: FastOpenSettings = {
  queueLength: 0,
  keys: undefined,
  connect: false,
  noCookie: false,
};
