/** One end of UDP: what a datagram socket is to the stack. */
import type { IpAddress } from '../wire/address.ts';
import { DatagramQueue } from './queue.ts';
import type { RingPool } from './ring-pool.ts';

/** Who holds an endpoint. */
export interface EndpointUser {
  /** Something changed: there is a datagram, an error, or room. Called from inside the stack's loop; must not throw. */
  ready(): void;
}

/** An ICMP error that waits to be read. */
export interface QueuedError {
  readonly family: 4 | 6;
  /** A close reason. */
  readonly reason: number;
  readonly type: number;
  readonly code: number;
  /** The MTU of a hop, bytes; else 0. */
  readonly information: number;
  /** Who sent it. */
  readonly offender: IpAddress;
  /** Where the datagram was sent to. */
  readonly remote: IpAddress;
  readonly remotePort: number;
  /** What it quotes of that datagram's payload. */
  readonly payload: Uint8Array;
  /** What it takes of the receive buffer, bytes. */
  readonly memory: number;
}

export class UdpEndpoint {
  /** Of the socket: 4, or 6, which takes IPv4 too unless `v6Only`. */
  readonly family: 4 | 6;
  v6Only = false;
  user: EndpointUser | undefined;
  readyMarked = false;
  /** Where datagrams must be addressed to; the unspecified address: to any of the host's. */
  local: IpAddress;
  /** 0: not bound; nothing arrives. */
  localPort = 0;
  /** SO_BINDTODEVICE: index of the one interface that datagrams come over; 0: any. */
  device = 0;
  /** Where datagrams must come from; undefined: not connected. */
  remote: IpAddress | undefined = undefined;
  remotePort = 0;
  /** SO_REUSEADDR and SO_REUSEPORT. */
  reuseAddress = false;
  reusePort = false;
  readonly queue: DatagramQueue;
  /** SO_RCVBUF: bytes of memory that unread datagrams may take. */
  rcvBuf: number;
  /** Bytes of memory of datagrams that the link has not taken yet. */
  sending = 0;
  /** What an ICMP error said, as a close reason; 0: nothing. */
  error = 0;
  /** IP_RECVERR and IPV6_RECVERR. */
  keepsErrors = false;
  keepsErrors6 = false;
  readonly errors: QueuedError[] = [];
  #errorMemory = 0;
  /** IP_MTU_DISCOVER and IPV6_MTU_DISCOVER. */
  discovery: number;
  discovery6: number;
  /** Somebody found no room to send, and wants to be told of it. */
  noSpace = false;

  constructor(family: 4 | 6, local: IpAddress, pool: RingPool, rcvBuf: number, discovery: number, discovery6: number) {
    this.family = family;
    this.local = local;
    this.queue = new DatagramQueue(pool);
    this.rcvBuf = rcvBuf;
    this.discovery = discovery;
    this.discovery6 = discovery6;
  }

  /** What unread datagrams and errors take of the receive buffer, bytes. */
  get memory(): number {
    return this.queue.memory + this.#errorMemory;
  }

  /** Keeps an error, as long as there is room in the receive buffer (Linux: sock_queue_err_skb). @param make is not called when there is none */
  keepError(memory: number, make: (memory: number) => QueuedError): void {
    if (this.memory + memory >= this.rcvBuf) return;
    this.errors.push(make(memory));
    this.#errorMemory += memory;
  }

  /** Takes the oldest error, if there is one. */
  takeError(): QueuedError | undefined {
    const error = this.errors.shift();
    this.#errorMemory -= error?.memory ?? 0;
    return error;
  }

  forgetErrors(): void {
    this.errors.length = 0;
    this.#errorMemory = 0;
  }
}
