/**
 * The connection under test: which numbers on the wire the script's numbers are. SYNs have the script's own numbers, all others count from
 * the initial ones; timestamps of the stack are known by what the script calls them.
 */

import type { IpAddress } from '../wire/address.ts';
import { ACK, PSH, RST, SYN } from '../wire/tcp.ts';
import { ScriptFailure } from './errors.ts';
import type { OptionSpec, TcpSpec } from './script.ts';
import type { Endpoints, Segment } from './segment.ts';
import type { TestSocket } from './target.ts';

/** Initial sequence numbers of one side: the script's and the real one. */
interface Start {
  script: number;
  live: number;
}

const WINDOW = 0xffff;

export class Flow {
  readonly ends: { readonly local: IpAddress; readonly remote: IpAddress };
  /** 0 until the SYN of a connect shows it. */
  localPort: number;
  remotePort: number;
  /** The socket, once there is one. */
  socket: TestSocket | undefined;
  /** Bytes that the user has written. */
  written = 0;
  #local: Start | undefined;
  #remote: Start | undefined;
  /** Number of a SYN of the script's that opens another connection between the same ports, if the stack takes it. */
  #reopening: number | undefined;
  /** Timestamps of the stack by the script's name for them. */
  readonly #stamps = new Map<number | string, number>();
  #firstStamp: { script: number; live: number } | undefined;

  constructor(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number) {
    this.ends = { local, remote };
    this.localPort = localPort;
    this.remotePort = remotePort;
  }

  /** Whether a packet of the stack's belongs to it. */
  owns(ends: Endpoints, segment: Segment): boolean {
    if (!ends.destination.equals(this.ends.remote) || ends.destinationPort !== this.remotePort) return false;
    if (this.localPort === 0 && (segment.flags & SYN) !== 0) this.localPort = ends.sourcePort;
    return ends.sourcePort === this.localPort;
  }

  /** The stack has sent nothing but its SYN. */
  get opening(): boolean {
    return this.#remote === undefined || this.#local === undefined;
  }

  /** A packet of the script's, as it goes on the wire. */
  toLive(spec: TcpSpec): Segment {
    const flags = spec.flags === 'any' ? ACK : spec.flags;
    const syn = (flags & SYN) !== 0;
    // SYNs have the script's own numbers on the wire, too.
    if (syn && this.#remote === undefined) this.#remote = { script: spec.seq, live: spec.seq };
    else if (syn) this.#reopening = spec.seq;
    const options = spec.options === 'any' ? [] : spec.options.map((option) => this.#optionToLive(option));
    return {
      tos: (spec.ip.tos ?? 0) | (spec.ip.ecn === 'ect' ? 2 : (spec.ip.ecn ?? 0)),
      ttl: spec.ip.ttl ?? 255,
      flowLabel: spec.ip.flowLabel ?? 0,
      flags,
      seq: live(this.#remote, spec.seq, syn),
      ack: spec.ack === undefined ? 0 : live(this.#local, spec.ack, syn),
      win: spec.win ?? WINDOW,
      urg: spec.urg ?? 0,
      options,
      length: spec.length,
    };
  }

  /** A sequence number of the script's that the stack quotes, in the script's numbers. */
  quotedByHost(seq: number): number {
    return script(this.#remote, seq, false);
  }

  /** Where a sequence number of the stack's that an ICMP message quotes is on the wire. */
  quotedSeq(relative: number): number {
    return live(this.#local, relative, false);
  }

  /**
   * A packet of the stack's in the script's numbers.
   * @param spec what the script expects: its SYN says what the initial number is called
   */
  toScript(segment: Segment, spec: TcpSpec | undefined): Segment {
    const syn = (segment.flags & SYN) !== 0;
    if (syn && this.#reopening !== undefined && segment.ack === (this.#reopening + 1) >>> 0) {
      this.#remote = { script: this.#reopening, live: this.#reopening };
    }
    if (syn && this.#local?.live !== segment.seq) this.#local = { script: spec?.seq ?? 0, live: segment.seq };
    const bareReset = (segment.flags & (RST | ACK)) === RST;
    return {
      ...segment,
      seq: script(this.#local, segment.seq, syn),
      ack: (segment.flags & ACK) === 0 || bareReset ? 0 : script(this.#remote, segment.ack, syn),
      options: segment.options.map((option) => this.#optionToScript(option)),
    };
  }

  /** The script calls a timestamp of the stack's so. */
  noteStamp(name: number | string, value: number): void {
    this.#stamps.set(name, value);
    if (typeof name === 'number') this.#firstStamp ??= { script: name, live: value };
  }

  stampOf(name: number | string): number | undefined {
    return this.#stamps.get(name);
  }

  /** By how many ticks a timestamp of the stack's is later than the script says, both counted from the first that the script named. */
  stampError(named: number, value: number): number {
    const first = this.#firstStamp;
    return first === undefined ? 0 : (value - first.live - (named - first.script)) | 0;
  }

  /** The segment's data ends where everything written so far ends, so that it is to carry PSH. */
  endsTheData(segment: Segment): boolean {
    return segment.length > 0 && segment.seq + segment.length === this.written + 1;
  }

  /** `flags` with a PSH that nobody looks at taken away. */
  comparable(segment: Segment, flags: number, strict: boolean): number {
    return strict || segment.length === 0 || this.endsTheData(segment) ? flags : flags & ~PSH;
  }

  #optionToLive(option: OptionSpec): OptionSpec {
    if (option.name === 'sack') {
      const blocks = option.blocks.map(([left, right]): [number, number] => [
        live(this.#local, left, false),
        live(this.#local, right, false),
      ]);
      return { name: 'sack', blocks };
    }
    if (option.name !== 'TS') return option;
    const { val, ecr } = option;
    if (typeof val === 'string') throw new ScriptFailure(`the timestamp '${val}' of the peer must be a number`);
    return { name: 'TS', val, ecr: this.#echo(ecr) };
  }

  /** Which timestamp of the stack's the script's peer echoes: one that it named, or as far from the nearest as it says. */
  #echo(ecr: number | string): number {
    const known = this.#stamps.get(ecr);
    if (known !== undefined) return known;
    if (typeof ecr === 'string') throw new ScriptFailure(`no packet so far says which timestamp '${ecr}' is`);
    const first = this.#firstStamp;
    return ecr === 0 || first === undefined ? ecr : (ecr - first.script + first.live) >>> 0;
  }

  #optionToScript(option: OptionSpec): OptionSpec {
    if (option.name !== 'sack') return option;
    const blocks = option.blocks.map(([left, right]): [number, number] => [
      script(this.#remote, left, false),
      script(this.#remote, right, false),
    ]);
    return { name: 'sack', blocks };
  }
}

function live(start: Start | undefined, number: number, syn: boolean): number {
  if (start === undefined) return number >>> 0;
  return (number + start.live - (syn ? start.script : 0)) >>> 0;
}

function script(start: Start | undefined, number: number, syn: boolean): number {
  if (start === undefined) return number >>> 0;
  return (number - start.live + (syn ? start.script : 0)) >>> 0;
}
