/** A passive OPEN: the SYN queue (embryos) and the accept queue (connections), each with its limit. */
import type { IpAddress } from '../wire/address.ts';
import { REASON_ABORTED, REASON_NONE, REASON_RESET } from './close-reason.ts';
import type { TcpContext } from './context.ts';
import type { ConnectionUser, ControlBlock } from './control-block.ts';
import { type Embryo, removeEmbryo } from './embryo.ts';
import { SERVER_ENABLE, SERVER_WITHOUT_OPTION } from './fast-open-host.ts';
import { FastOpenQueue } from './fast-open-queue.ts';
import { abort, orphan } from './release.ts';
import type { TcpSettings } from './settings.ts';

/** A connection that was reset while it waited to be accepted: what `take` makes of it is `accept_reset` of the settings. */
export type Accepted = ControlBlock | 'aborted' | undefined;

export class Listener {
  readonly context: TcpContext;
  /** The address listened on; unspecified: all of the host's. */
  readonly local: IpAddress;
  readonly localPort: number;
  /** What connections inherit. */
  readonly settings: TcpSettings;
  /** As given to listen, within 0..somaxconn. */
  backlog: number;
  user: ConnectionUser | undefined;
  readyMarked = false;
  readonly embryos = new Set<Embryo>();
  /** Embryos whose SYN-ACK has not run out of time yet. */
  young = 0;
  /** When a SYN last was answered with a cookie, ms. */
  cookieSentAt = -Infinity;
  /** Undefined: Fast Open is off here (RFC 7413 4.2, FastOpenEnabled). */
  fastOpen: FastOpenQueue | undefined;
  /** Made for one SYN alone, which gets no cookie; its user is told, too, when nothing comes of the handshake. */
  single = false;
  readonly #queue: ControlBlock[] = [];
  #closed = false;

  constructor(context: TcpContext, local: IpAddress, localPort: number, settings: TcpSettings, backlog: number) {
    this.context = context;
    this.local = local;
    this.localPort = localPort;
    this.settings = settings;
    this.backlog = backlog;
    this.setFastOpen();
  }

  /** After a change of the settings: RFC 7413 4.2, FastOpenEnabled: "it MUST be turned on explicitly", by TCP_FASTOPEN or for all listeners. */
  setFastOpen(): void {
    const { tcp_fastopen, somaxconn } = this.context.config;
    const everywhere = SERVER_ENABLE | SERVER_WITHOUT_OPTION;
    const chosen = this.settings.fastOpen?.queueLength ?? 0;
    const most = chosen > 0 ? chosen : (tcp_fastopen & everywhere) === everywhere ? this.backlog : 0;
    if (this.fastOpen !== undefined) this.fastOpen.most = Math.min(most, somaxconn);
    else if (most > 0) this.fastOpen = new FastOpenQueue(Math.min(most, somaxconn));
  }

  /** Connections that wait to be accepted. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Linux holds backlog + 1. */
  get full(): boolean {
    return this.#queue.length > this.backlog;
  }

  /** Linux holds backlog + 1 embryos, too. */
  get synQueueFull(): boolean {
    return this.embryos.size > this.backlog;
  }

  /**
   * How often a SYN-ACK is sent again. When half of the queue is in use and few of it are young, old embryos go earlier, as on Linux, so that
   * there is room for peers that answer.
   */
  synAckRetries(): number {
    let most = this.settings.rare.synCount || this.context.config.tcp_synack_retries;
    const waiting = this.embryos.size;
    if (2 * waiting <= Math.max(8, this.backlog)) return most;
    for (let young = 2 * this.young; most > 2 && waiting >= young; young *= 2) most--;
    return most;
  }

  enqueue(connection: ControlBlock): void {
    if (this.#closed) return abort(connection, REASON_ABORTED, connection.lastReceivedAt);
    this.#queue.push(connection);
    this.context.markReady(this);
  }

  /** The connection that has waited longest; 'aborted' for one that ended meanwhile, where that is to be said; undefined: none. */
  take(): Accepted {
    const mode = this.context.config.accept_reset;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (next.fastOpen !== undefined) next.fastOpen.accepted = true;
      const reset = next.released && next.reason !== REASON_NONE;
      if (!reset || mode === 'linux') return next;
      // Nobody will read what came before the reset.
      next.receiveQueue.clear();
      if (mode === 'posix' && next.reason === REASON_RESET) return 'aborted';
    }
    return undefined;
  }

  /** Nothing comes of it any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** RFC 9293 3.10.4, CLOSE in LISTEN; connections that nobody accepted are reset, as on Linux. */
  close(now: number): void {
    this.user = undefined;
    this.end(now);
  }

  /** As `close`, but not by its user, who is told. */
  end(now: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.context.markReady(this);
    if (this.fastOpen !== undefined) this.fastOpen.closed = true;
    for (const embryo of [...this.embryos]) removeEmbryo(embryo);
    for (const connection of this.#queue.splice(0)) {
      orphan(connection);
      connection.receiveQueue.clear();
      abort(connection, REASON_ABORTED, now);
    }
  }
}
