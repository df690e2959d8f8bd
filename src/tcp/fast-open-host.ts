/** What a host remembers of Fast Open: the peers' cookies, the key of its own, and paths that swallow SYNs with data. */
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import type { TcpConfig } from './config.ts';
import { type FastOpenKeys, keysFromText } from './fast-open-cookie.ts';

/** Bits of tcp_fastopen. */
export const CLIENT_ENABLE = 0x1;
export const SERVER_ENABLE = 0x2;
/** Data goes in the SYN without a cookie. */
export const CLIENT_NO_COOKIE = 0x4;
/** Data in a SYN is taken without a cookie. */
export const SERVER_COOKIE_NOT_REQUIRED = 0x200;
/** All listeners, with the backlog as the limit of their queues. */
export const SERVER_WITHOUT_OPTION = 0x400;

/** Peers that are remembered. */
const PEERS = 1024;
/** How often the time without Fast Open doubles. */
const DOUBLINGS = 6;

/** RFC 7413 4.1.3: what a client caches of a server, for one of its own addresses. */
export class FastOpenPeer {
  /** The MSS that the server announced, bytes; 0: not known. */
  mss = 0;
  /** Undefined: none. */
  cookie: Uint8Array | undefined;
  /** The cookie came in the experimental option. */
  experimental = false;
  /** The option of RFC 7413 was not answered (1): the experimental one is tried; nor was that (2): the other again. */
  tryExperimental = 0;
}

export class FastOpenHost {
  readonly #config: TcpConfig;
  readonly #random: Random;
  readonly #peers = new Map<string, FastOpenPeer>();
  #keys: FastOpenKeys | undefined;
  /** The text that `#keys` was read from. */
  #keyText = '';
  /** When Fast Open was last given up for a while, ms, how often without success since, and what the time was set to then. */
  #givenUpAt = 0;
  #timesGivenUp = 0;
  #timeout = 0;

  constructor(config: TcpConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  /** undefined: nothing is known. */
  peer(local: IpAddress, remote: IpAddress): FastOpenPeer | undefined {
    return this.#peers.get(nameOf(local, remote));
  }

  /** The peer's entry to write to; the oldest one makes room for it. */
  notePeer(local: IpAddress, remote: IpAddress): FastOpenPeer {
    const name = nameOf(local, remote);
    const peer = this.#peers.get(name) ?? new FastOpenPeer();
    this.#peers.delete(name);
    this.#peers.set(name, peer);
    if (this.#peers.size > PEERS) this.#peers.delete(this.#peers.keys().next().value as string);
    return peer;
  }

  /** Peers remembered. */
  get peers(): number {
    return this.#peers.size;
  }

  /** `ip tcp_metrics flush`. */
  forgetPeers(): void {
    this.#peers.clear();
  }

  /** Of tcp_fastopen_key; when that says nothing, drawn once. */
  get keys(): FastOpenKeys {
    const text = this.#config.tcp_fastopen_key;
    if (this.#keys === undefined || text !== this.#keyText) {
      this.#keys = keysFromText(text) ?? (text === '' ? this.#keys : undefined) ?? this.#drawKey();
      this.#keyText = text;
    }
    return this.#keys;
  }

  #drawKey(): FastOpenKeys {
    return { primary: Int32Array.from({ length: 4 }, () => this.#random.uint32() | 0), backup: undefined };
  }

  /** Something on the way swallows Fast Open, it seems: no more of it for tcp_fastopen_blackhole_timeout_sec, and longer each time. */
  giveUp(now: number): boolean {
    if (this.#config.tcp_fastopen_blackhole_timeout_sec === 0) return false;
    this.#noteTimeout();
    this.#givenUpAt = now;
    this.#timesGivenUp++;
    return true;
  }

  /** Fast Open was given up at some time, and has not been seen to work since. */
  get doubtful(): boolean {
    this.#noteTimeout();
    return this.#timeout > 0 && this.#timesGivenUp > 0;
  }

  /** Whether Fast Open is given up now. */
  givenUp(now: number): boolean {
    if (!this.doubtful) return false;
    return now < this.#givenUpAt + this.#timeout * 1000 * 2 ** Math.min(this.#timesGivenUp - 1, DOUBLINGS);
  }

  /** Data came over a connection that was opened fast: it works again. */
  worksAgain(): void {
    this.#timesGivenUp = 0;
  }

  /** A change of the setting begins anew. */
  #noteTimeout(): void {
    const timeout = this.#config.tcp_fastopen_blackhole_timeout_sec;
    if (timeout === this.#timeout) return;
    this.#timeout = timeout;
    this.#timesGivenUp = 0;
  }
}

function nameOf(local: IpAddress, remote: IpAddress): string {
  return `${local} ${remote}`;
}
