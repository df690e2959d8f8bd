/**
 * Sorts what a link carries into connections, for ladders and the live view. It watches from outside (`captured`), so it
 * shows what was on the link, whatever the stack thinks of it.
 */
import { QuotedPacket, readQuoted } from '../ip/quoted.ts';
import type { PacketWatcher } from '../link/captured.ts';
import type { TraceSink } from '../trace/events.ts';
import { IpAddress } from '../wire/address.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { OK } from '../wire/reasons.ts';
import { ACK, parseTcp, RST, SYN, TcpSegment } from '../wire/tcp.ts';
import { Flow } from './flow.ts';

/** Packets and bytes that are kept of a connection, and bytes of all that are open: a newcomer reads the beginning. */
const KEPT_PACKETS = 60;
const KEPT_BYTES = 128 << 10;
const KEPT_TOTAL = 32 << 20;
/** Connections that are followed; of more the oldest are forgotten (a flood of SYNs that nobody answers). */
const MAX_FLOWS = 10_000;

export interface RecorderEvents {
  /** The handshake is done. */
  opened?(flow: Flow): void;
  closed?(flow: Flow): void;
}

/** A connection that somebody waits for; `flow` is there once its first packet is. */
export interface Followed {
  flow?: Flow;
}

export class Recorder {
  /** Is told of connections that open and close; it must not throw. */
  events: RecorderEvents = {};
  readonly #flows = new Map<string, Flow>();
  readonly #followers: { readonly followed: Followed; readonly isIt: (flow: Flow) => boolean }[] = [];
  readonly #ip = new QuotedPacket();
  readonly #segment = new TcpSegment();
  #kept = 0;

  /** Connections that are not over yet, the oldest first. */
  flows(): Flow[] {
    return [...this.#flows.values()];
  }

  /** The connection between these ends, `10.9.0.2:80` and the peer's; undefined: there is none, or it is over. */
  find(local: string, remote: string): Flow | undefined {
    return this.#flows.get(key(local, remote));
  }

  /** The next connection that begins and for which `isIt` holds. */
  follow(isIt: (flow: Flow) => boolean): Followed {
    const followed: Followed = {};
    this.#followers.push({ followed, isIt });
    return followed;
  }

  /** For `captured`: sees every packet. */
  readonly watch: PacketWatcher = (bytes, direction, at, segmentSize) => {
    const [ip, segment] = [this.#ip, this.#segment];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const family = (bytes[0] ?? 0) >>> 4 === 6 ? 6 : 4;
    if (!readQuoted(family, view, 0, bytes.length, 0, ip) || ip.protocol !== PROTOCOL_TCP) return;
    if (parseTcp(view, ip.offset, ip.length, segment) !== OK) return;
    const source = [hostText(ip.s0, ip.s1, ip.s2, ip.s3), segment.sourcePort] as const;
    const destination = [hostText(ip.d0, ip.d1, ip.d2, ip.d3), segment.destinationPort] as const;
    const [local, remote] = direction === 'in' ? [destination, source] : [source, destination];
    const flow = this.#flow(local, remote, direction, at);
    if (flow === undefined) return;
    this.#keep(flow, { at, direction, segmentSize, bytes });
    this.#report(flow, flow.saw(segment, direction, at));
  };

  /** For a host's `trace`: some ends show in no packet. */
  readonly trace: TraceSink = (event) => {
    if (event.type !== 'closed' || event.reason === 'none') return;
    const { local, remote } = event.flow;
    const { reason } = event;
    // A reset may be about to go out for it: then that is how it ended.
    setImmediate(() => {
      const flow = this.find(local, remote);
      if (flow !== undefined) this.#report(flow, flow.end(reason));
    });
  };

  /** The connection of the segment at hand; one that nobody has seen begins with its SYN. */
  #flow(local: readonly [string, number], remote: readonly [string, number], direction: 'in' | 'out', at: number) {
    const name = key(local.join(':'), remote.join(':'));
    const known = this.#flows.get(name);
    if (known !== undefined || (this.#segment.flags & (SYN | ACK | RST)) !== SYN) return known;
    const flow = new Flow(local, remote, direction === 'out', at);
    this.#flows.set(name, flow);
    this.#tell(flow);
    if (this.#flows.size > MAX_FLOWS) this.#forget(this.#flows.values().next().value as Flow);
    return flow;
  }

  #tell(flow: Flow): void {
    const place = this.#followers.findIndex(({ isIt }) => isIt(flow));
    for (const { followed } of place < 0 ? [] : this.#followers.splice(place, 1)) followed.flow = flow;
  }

  #keep(flow: Flow, packet: { at: number; direction: 'in' | 'out'; segmentSize: number; bytes: Uint8Array }): void {
    const { length } = packet.bytes;
    const full = flow.packets.length === KEPT_PACKETS || flow.keptBytes + length > KEPT_BYTES;
    if (full || flow.unkept > 0 || this.#kept + length > KEPT_TOTAL) {
      flow.unkept++;
      return;
    }
    this.#kept += length;
    flow.keptBytes += length;
    flow.packets.push({ ...packet, bytes: packet.bytes.slice() });
  }

  #report(flow: Flow, state: Flow['state'] | undefined): void {
    if (state === 'open') this.events.opened?.(flow);
    if (state !== 'closed') return;
    this.#forget(flow);
    this.events.closed?.(flow);
  }

  #forget(flow: Flow): void {
    this.#flows.delete(key(flow.local, flow.remote));
    this.#kept -= flow.keptBytes;
  }
}

/** As it stands before a port: IPv6 in brackets. */
function hostText(w0: number, w1: number, w2: number, w3: number): string {
  const address = IpAddress.v6(w0, w1, w2, w3);
  return address.family === 6 ? `[${address}]` : String(address);
}

function key(local: string, remote: string): string {
  return `${local} ${remote}`;
}
