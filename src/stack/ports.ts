/** Who holds which local port: bind's rules as Linux has them, and ephemeral ports that nobody can guess (RFC 6056). */
import type { TcpConfig } from '../tcp/config.ts';
import type { TableEntry } from '../tcp/context.ts';
import { KIND_TIME_WAIT } from '../tcp/control-block.ts';
import { mayReuse } from '../tcp/time-wait.ts';
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import type { Demux } from './demux.ts';

/** A bound socket. */
export interface Binding {
  readonly address: IpAddress;
  readonly port: number;
  /** SO_REUSEADDR. */
  readonly reuseAddress: boolean;
  /** SO_REUSEPORT: with others of its kind it shares the port, listeners too. */
  readonly reusePort: boolean;
  readonly listening: boolean;
}

/** First and last port that a socket takes of the host's ephemeral ones; 0: as the host. */
export interface PortRange {
  readonly localPortLow: number;
  readonly localPortHigh: number;
}

export class Ports {
  readonly #bindings = new Map<number, Set<Binding>>();
  readonly #config: TcpConfig;
  readonly #demux: Demux;
  readonly #random: Random;

  constructor(config: TcpConfig, demux: Demux, random: Random) {
    this.#config = config;
    this.#demux = demux;
    this.#random = random;
  }

  /** Ports that sockets hold. */
  get size(): number {
    return this.#bindings.size;
  }

  /** Whether another socket stands in the way of binding to that address and port. */
  conflicts(address: IpAddress, port: number, reuseAddress: boolean, self?: Binding, reusePort = false): boolean {
    for (const other of this.#bindings.get(port) ?? []) {
      if (other === self || !overlap(other.address, address)) continue;
      if (reusePort && other.reusePort) continue;
      if (!(reuseAddress && other.reuseAddress) || other.listening) return true;
    }
    // Connections that outlive their socket (TIME-WAIT, for one) hold the port, unless it may be reused.
    return !reuseAddress && self === undefined && this.#demux.portInUse(port) && !this.#held(port);
  }

  /** Whether a listener may start: nobody else listens there. */
  mayListen(binding: Binding): boolean {
    for (const other of this.#bindings.get(binding.port) ?? []) {
      if (other === binding || !other.listening || (binding.reusePort && other.reusePort)) continue;
      if (overlap(other.address, binding.address)) return false;
    }
    return true;
  }

  add(binding: Binding): void {
    const set = this.#bindings.get(binding.port);
    if (set === undefined) this.#bindings.set(binding.port, new Set([binding]));
    else set.add(binding);
  }

  remove(binding: Binding): void {
    const set = this.#bindings.get(binding.port);
    if (set?.delete(binding) === true && set.size === 0) this.#bindings.delete(binding.port);
  }

  /** A free port for bind to port 0; 0: none is left. @param range IP_LOCAL_PORT_RANGE */
  ephemeral(address: IpAddress, reuseAddress: boolean, range?: PortRange): number {
    return this.#search(range, (port) => !this.conflicts(address, port, reuseAddress) && !this.#demux.portInUse(port));
  }

  /** A port for a connection that was not bound; 0: none is left. The same port may serve connections to other peers. */
  ephemeralFor(local: IpAddress, remote: IpAddress, remotePort: number, now: number, range?: PortRange): number {
    return this.#search(
      range,
      (port) => !this.#held(port) && this.isFree(this.#demux.get(local, port, remote, remotePort), false, now),
    );
  }

  /**
   * Whether a connection that is opened may stand where `entry` does: nothing is there, or a TIME-WAIT that may go (tcp_tw_reuse).
   * @param chosen the user chose the port
   */
  isFree(entry: TableEntry | undefined, chosen: boolean, now: number): boolean {
    return entry === undefined || (entry.kind === KIND_TIME_WAIT && mayReuse(entry, chosen, now));
  }

  #held(port: number): boolean {
    return this.#bindings.has(port);
  }

  /** RFC 6056 3.3.1: from a random start through the range, the first that suits. */
  #search(range: PortRange | undefined, suits: (port: number) => boolean): number {
    const [first, last] = this.#config.ip_local_port_range;
    const low = Math.max(first, range?.localPortLow ?? 0);
    const high = Math.min(last, range?.localPortHigh || last);
    if (low > high) return 0;
    const count = high - low + 1;
    const start = Math.floor(this.#random.float() * count);
    for (let i = 0; i < count; i++) {
      const port = low + ((start + i) % count);
      if (suits(port)) return port;
    }
    return 0;
  }
}

function overlap(a: IpAddress, b: IpAddress): boolean {
  return a.isUnspecified || b.isUnspecified || a.equals(b);
}
