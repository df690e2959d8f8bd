/** Who holds which local port: bind's rules as Linux has them, and ephemeral ports that nobody can guess (RFC 6056). */
import type { TcpConfig } from '../tcp/config.ts';
import type { TableEntry } from '../tcp/context.ts';
import { KIND_TIME_WAIT } from '../tcp/control-block.ts';
import { mayReuse } from '../tcp/time-wait.ts';
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import type { Demux } from './demux.ts';

/** What a socket that is to be bound asks for. */
export interface Claim {
  /** `::` is all addresses of both families, unless `v6Only`. */
  readonly address: IpAddress;
  /** IPV6_V6ONLY. RFC 3493 5.3: then `::` leaves IPv4's to others. */
  readonly v6Only: boolean;
  /** SO_BINDTODEVICE: the index of the one interface; 0: all. */
  readonly device: number;
  /** SO_REUSEADDR. */
  readonly reuseAddress: boolean;
  /** SO_REUSEPORT: with others of its kind it shares the port, listeners too. */
  readonly reusePort: boolean;
}

/** A bound socket. */
export interface Binding extends Claim {
  readonly port: number;
  readonly listening: boolean;
  /** Where its connection is: that alone, and not all that it was bound to, is taken then (Linux). */
  readonly connectedAt?: IpAddress | undefined;
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

  /** Whether another socket stands in the way of binding to that port. */
  conflicts(claim: Claim, port: number): boolean {
    for (const other of this.#bindings.get(port) ?? []) {
      if (!overlap(placeOf(other), claim) || (claim.reusePort && other.reusePort)) continue;
      if (!(claim.reuseAddress && other.reuseAddress) || other.listening) return true;
    }
    // Connections that outlive their socket (TIME-WAIT, for one) hold the port, unless it may be reused.
    return !claim.reuseAddress && this.#demux.portInUse(port) && !this.#held(port);
  }

  /** Whether a listener may start: nobody else listens there. */
  mayListen(binding: Binding): boolean {
    for (const other of this.#bindings.get(binding.port) ?? []) {
      if (other === binding || !other.listening || (binding.reusePort && other.reusePort)) continue;
      if (overlap(other, binding)) return false;
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
  ephemeral(claim: Claim, range?: PortRange): number {
    return this.#search(range, (port) => !this.conflicts(claim, port) && !this.#demux.portInUse(port));
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

function placeOf(binding: Binding): Claim {
  const { connectedAt } = binding;
  return connectedAt === undefined ? binding : { ...binding, address: connectedAt };
}

/** Whether a packet could be for both. RFC 3493 3.7: `::` is every address of both families, or of IPv6 alone. */
/** Whether there is an address and an interface that both would hold. */
export function overlap(a: Claim, b: Claim): boolean {
  if (a.device !== b.device && a.device !== 0 && b.device !== 0) return false;
  return covers(a, b) || covers(b, a) || a.address.equals(b.address);
}

/** `any` is an any-address that takes in the other's. */
function covers(any: Claim, other: Claim): boolean {
  if (!any.address.isUnspecified) return false;
  return any.address.family === other.address.family || (any.address.family === 6 && !any.v6Only);
}
