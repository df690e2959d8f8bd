/**
 * Plays a script against a host: what the script says happens at its time, and what the host sends is held against what the script says
 * it sends. One connection is under test: that of the last listen or connect.
 */
import { IPPROTO_TCP, SO_MEMINFO, SOL_SOCKET, TCP_INFO } from '../socket/constants.ts';
import { errnoName } from '../socket/errno.ts';
import type { SocketAddress } from '../socket/socket.ts';
import type { TcpInfo } from '../tcp/info.ts';
import { SYN } from '../wire/tcp.ts';
import { numberOf } from './arguments.ts';
import type { Attempt, CallHooks } from './call-support.ts';
import { CodeBlocks } from './code-blocks.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import { Flow } from './flow.ts';
import { icmpMessageText, icmpMismatch, icmpPacket, icmpText } from './icmp.ts';
import { learnStamps, type MatchRules, mismatch } from './match.ts';
import { segmentText, specText, timeText } from './notation.ts';
import type { Python } from './python.ts';
import { lookForEdges } from './readiness-calls.ts';
import type { CallAction, IcmpSpec, PacketAction, PacketSpec, Script, ScriptEvent, TcpSpec } from './script.ts';
import { buildSegment, type Segment } from './segment.ts';
import { SentPackets } from './sent.ts';
import { SystemCalls } from './system-calls.ts';
import type { Target, TestSocket } from './target.ts';

export interface RunnerSettings {
  readonly rules: MatchRules;
  /** Join segments that a segmentation offload could have sent as one. */
  readonly strictSegments: boolean;
  /** Payload beyond which the script's packets are super-segments, bytes; 0: none is. */
  readonly mss: number;
  /** Of the time since the event before: packetdrill's eighth. */
  readonly relativeTolerance: number;
  /** What is only noted when it is not as the script says. */
  readonly nonFatal: readonly ('packet' | 'syscall')[];
  /** Of sockets whose family the script leaves open. */
  readonly domain: number;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Runs code blocks that are more than the built-in evaluator can. */
  readonly python: Python | undefined;
  /** Told what happens, line by line. */
  readonly log: (line: string) => void;
}

/** A call that waits, and when the script says that it ends. */
interface Waiting {
  readonly attempt: Attempt;
  readonly call: CallAction;
  readonly event: ScriptEvent;
  readonly end: number;
  readonly tolerance: number;
}

/** When a packet may come, ms since the start. */
interface Span {
  readonly any: boolean;
  readonly due: number;
  readonly latest: number;
  readonly tolerance: number;
}

/** How long `*` waits, ms: longer than two hours of keepalive. */
const ANY_TIME = 86_400_000;
/** Of Linux's SO_MEMINFO, in order. */
const MEMORY_FIELDS = 'RMEM_ALLOC RCVBUF WMEM_ALLOC SNDBUF FWD_ALLOC WMEM_QUEUED OPTMEM BACKLOG DROPS'.split(' ');
/** Where the peer's ports start. */
const FIRST_PORT = 40_000;

export class Runner {
  readonly #script: Script;
  readonly #target: Target;
  readonly #settings: RunnerSettings;
  readonly #calls: SystemCalls;
  readonly #sent: SentPackets;
  readonly #code: CodeBlocks;
  #flow: Flow | undefined;
  /** A SYN of the script's opens a connection. */
  #listening = false;
  #peerPort = FIRST_PORT;
  #waiting: Waiting | undefined;
  /** What a waiting call failed with, to be thrown where the script is. */
  #failed: unknown;
  /** When the event before ended, ms since the start. */
  #last = 0;

  constructor(script: Script, target: Target, settings: RunnerSettings) {
    this.#script = script;
    this.#target = target;
    this.#settings = settings;
    this.#calls = new SystemCalls(target, this.#hooks());
    this.#code = new CodeBlocks(script.name, settings.python, settings.log);
    this.#sent = new SentPackets(
      target,
      () => this.#flow,
      () => this.#rethrow(),
    );
    target.onChange = () => {
      lookForEdges(this.#calls);
      this.#tryWaiting();
    };
  }

  /** Commands to run before the script. */
  prepare(commands: string): void {
    this.#run(commands);
  }

  /** @throws ScriptFailure, UnsupportedFeature: with the line that they belong to in the message */
  play(): void {
    for (const event of this.#script.events) this.#at(event.line, () => this.#play(event), kindOf(event));
    const waiting = this.#waiting;
    if (waiting !== undefined) this.#at(waiting.event.line, () => this.#finishWaiting());
    this.#code.run((line, work) => this.#at(line, work));
  }

  /** Lets go of everything. @returns chunks of memory that somebody still holds */
  close(): number {
    for (const socket of this.#calls.descriptors.sockets()) socket.close();
    return this.#target.close();
  }

  #at(line: number, work: () => void, kind?: 'packet' | 'syscall'): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ScriptFailure && kind !== undefined && this.#settings.nonFatal.includes(kind)) {
        this.#settings.log(`note: ${this.#script.name}:${line}: ${error.message}`);
        return;
      }
      if (error instanceof ScriptFailure) throw new ScriptFailure(`${this.#script.name}:${line}: ${error.message}`);
      if (error instanceof UnsupportedFeature) throw new UnsupportedFeature(error.message);
      throw error;
    }
  }

  #play(event: ScriptEvent): void {
    const { action } = event;
    if (action.kind === 'packet' && action.direction === 'out') {
      this.#expectPacket(event, action.packet);
      return;
    }
    const due = this.#due(event);
    if (event.time.kind !== 'any' && event.time.kind !== 'none') this.#advance(due, this.#tolerance(due));
    this.#settings.log(`${timeText(this.#target.now)} ${event.text}`);
    this.#last = event.time.kind === 'none' ? this.#last : this.#target.now;
    if (action.kind === 'packet') this.#inject(action);
    else if (action.kind === 'call') this.#call(event, action, due);
    else if (action.kind === 'code') this.#sample(event, action.code);
    else this.#command(action.command);
  }

  /** When an event is due, ms since the start. */
  #due({ time }: ScriptEvent): number {
    switch (time.kind) {
      case 'absolute':
        return time.at;
      case 'relative':
        return this.#last + time.at;
      case 'range':
        return time.at + (time.relative ? this.#last : 0);
      default:
        return this.#target.now;
    }
  }

  #tolerance(due: number): number {
    return Math.max(this.#settings.rules.toleranceUsecs / 1000, this.#settings.relativeTolerance * (due - this.#last));
  }

  #advance(due: number, tolerance: number): void {
    if (this.#target.now > due + tolerance) {
      throw new ScriptFailure(`it is due at ${timeText(due)}, but it is ${timeText(this.#target.now)} already`);
    }
    this.#target.run(due, () => false);
    this.#rethrow();
  }

  // Packets of the script's.

  #inject({ packet }: PacketAction): void {
    if (packet.protocol === 'tcp') return this.#injectTcp(packet);
    if (packet.protocol === 'icmp') {
      const addresses = { source: this.#settings.remote.address, destination: this.#settings.local.address };
      return this.#target.inject(icmpPacket(packet, this.#flow, addresses), 0);
    }
    throw unsupportedPacket(packet);
  }

  #injectTcp(spec: TcpSpec): void {
    const flow = this.#flowFor(spec);
    const { local, remote } = flow.ends;
    const { localPort, remotePort } = flow;
    const ends = { source: remote, sourcePort: remotePort, destination: local, destinationPort: localPort };
    const segment = flow.toLive(spec);
    const { mss } = this.#settings;
    this.#target.inject(buildSegment(ends, segment), mss > 0 && segment.length > mss ? mss : 0);
    this.#rethrow();
  }

  /** While a listener is current, a packet opens a connection; from a port of its own. */
  #flowFor(spec: TcpSpec): Flow {
    if (this.#flow !== undefined && !this.#listening) return this.#flow;
    if (!this.#listening) {
      throw new ScriptFailure(`there is neither a listener nor a connection for ${specText('in', spec)}`);
    }
    const { local, remote } = this.#settings;
    this.#flow = new Flow(local.address, local.port, remote.address, this.#peerPort++);
    // What is no SYN finds the listener again.
    this.#listening = spec.flags === 'any' || (spec.flags & SYN) === 0;
    return this.#flow;
  }

  // Packets of the stack's.

  #expectPacket(event: ScriptEvent, packet: PacketSpec): void {
    if (packet.protocol !== 'tcp' && packet.protocol !== 'icmp') throw unsupportedPacket(packet);
    const due = this.#due(event);
    const tolerance = this.#tolerance(due);
    const { time } = event;
    const latest =
      time.kind === 'any' ? this.#target.now + ANY_TIME : time.kind === 'range' ? due + time.to - time.at : due;
    const span = { any: time.kind === 'any', due, latest, tolerance };
    this.#last = packet.protocol === 'icmp' ? this.#expectMessage(packet, span) : this.#expectSegment(packet, span);
  }

  /** @returns when it came */
  #expectSegment(packet: TcpSpec, span: Span): number {
    const { due, latest, tolerance } = span;
    const first = this.#sent.next(latest + tolerance);
    if (first === undefined) throw new ScriptFailure(`the packet did not come: ${specText('out', packet)}`);
    const { at, segment } = this.#settings.strictSegments
      ? first
      : this.#sent.joined(first, packet, latest + tolerance);
    const flow = this.#flow as Flow;
    const seen = flow.toScript(segment, packet);
    this.#countWritten(flow);
    this.#settings.log(`${timeText(at)} ${segmentText('out', seen, packet.ip)}`);
    const wrong = mismatch(packet, seen, flow, this.#settings.rules);
    if (wrong !== undefined) throw this.#wrongPacket(`this is another packet: ${wrong}`, due, packet, at, seen);
    const off = offTime(at, span);
    if (off !== undefined) throw this.#wrongPacket(off, due, packet, at, seen);
    learnStamps(packet, seen, flow);
    return at;
  }

  /** @returns when it came */
  #expectMessage(packet: IcmpSpec, span: Span): number {
    const came = this.#sent.nextMessage(span.latest + span.tolerance);
    if (came === undefined) throw new ScriptFailure(`the packet did not come: ${icmpText('out', packet)}`);
    const { at, message } = came;
    const wrong = icmpMismatch(packet, message, this.#flow);
    const words = wrong === undefined ? offTime(at, span) : `this is another packet: ${wrong}`;
    if (words === undefined) return at;
    throw new ScriptFailure(
      `${words}\n  expected: ${timeText(span.due)} ${icmpText('out', packet)}\n  actual:   ${timeText(at)} ${icmpMessageText(message)}`,
    );
  }

  #wrongPacket(words: string, due: number, expected: TcpSpec, at: number, actual: Segment): ScriptFailure {
    return new ScriptFailure(
      `${words}\n  expected: ${timeText(due)} ${specText('out', expected)}\n  actual:   ${timeText(at)} ${segmentText('out', actual, expected.ip)}`,
    );
  }

  #countWritten(flow: Flow): void {
    if (flow.socket !== undefined) flow.written = this.#calls.descriptors.of(flow.socket)?.written ?? flow.written;
  }

  // System calls.

  #hooks(): CallHooks {
    return {
      domain: this.#settings.domain,
      local: this.#settings.local,
      remote: this.#settings.remote,
      now: () => this.#target.now,
      alarm: (at) => void this.#target.alarm(at),
      listening: () => {
        this.#listening = true;
      },
      connecting: (socket, to) => this.#connecting(socket, to),
      accepted: (socket) => this.#accepted(socket),
    };
  }

  #connecting(socket: TestSocket, to: SocketAddress): void {
    const name = socket.getsockname();
    const port = typeof name === 'number' ? 0 : name.port;
    this.#flow = new Flow(this.#settings.local.address, port, to.address, to.port);
    this.#flow.socket = socket;
    this.#listening = false;
  }

  #accepted(socket: TestSocket): void {
    const flow = this.#flow;
    const name = socket.getpeername();
    // One that was reset while it waited has no peer any more: then it is the only one that there can be.
    const ours = typeof name === 'object' ? flow?.remotePort === name.port : flow?.socket === undefined;
    if (flow !== undefined && ours) flow.socket = socket;
  }

  #call(event: ScriptEvent, call: CallAction, due: number): void {
    // One call at a time: the one that waits comes first.
    if (this.#waiting !== undefined) this.#finishWaiting();
    const attempt = this.#calls.start(call);
    const result = attempt();
    if (event.until === undefined) {
      if (result === undefined) throw new ScriptFailure(`${call.name}() would wait, but the script gives it no time`);
      this.#target.settle();
      this.#check(call, result);
      return;
    }
    const base = event.time.kind === 'relative' ? due - event.time.at : 0;
    const end = base + event.until;
    const tolerance = Math.max(
      this.#settings.rules.toleranceUsecs / 1000,
      this.#settings.relativeTolerance * (end - due),
    );
    this.#waiting = { attempt: result === undefined ? attempt : () => result, call, event, end, tolerance };
    this.#target.settle();
    this.#rethrow();
  }

  #tryWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#failed !== undefined) return;
    try {
      const result = waiting.attempt();
      if (result === undefined) return;
      this.#waiting = undefined;
      const { now } = this.#target;
      this.#settings.log(`${timeText(now)} ${waiting.call.name}() returns ${result}`);
      this.#check(waiting.call, result);
      if (Math.abs(now - waiting.end) > waiting.tolerance) {
        const words = `${waiting.call.name}() returned at ${timeText(now)}, not at ${timeText(waiting.end)}`;
        throw new ScriptFailure(`${words} (${Math.round(waiting.tolerance * 1000)} us are allowed)`);
      }
    } catch (error) {
      const { name } = this.#script;
      const known = error instanceof ScriptFailure;
      this.#failed = known ? new ScriptFailure(`the call of ${name}:${waiting.event.line}: ${error.message}`) : error;
    }
  }

  #finishWaiting(): void {
    const { end, tolerance, call } = this.#waiting as Waiting;
    const over = () => this.#waiting === undefined || this.#failed !== undefined;
    if (this.#target.run(end + tolerance, over)) return this.#rethrow();
    throw new ScriptFailure(`${call.name}() has not returned at ${timeText(end)}`);
  }

  #rethrow(): void {
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) throw failed;
  }

  #check(call: CallAction, result: number): void {
    const expected = call.result;
    if (expected === undefined) return;
    const want = numberOf(expected);
    const said = result < 0 ? `-1 ${errnoName(-result)}` : String(result);
    const wanted = want < 0 ? `-1 ${call.errno ?? ''}`.trim() : String(want);
    const same =
      want < 0 ? result < 0 && (call.errno === undefined || call.errno === errnoName(-result)) : result === want;
    if (!same) throw new ScriptFailure(`${call.name}() gives ${said}, not ${wanted}`);
  }

  // Commands and code.

  #run(command: string): number {
    return this.#target.command(command, (text) => this.#settings.log(`note: ${text}`));
  }

  #command(command: string): void {
    const status = this.#run(command);
    if (status !== 0) throw new ScriptFailure(`the command \`${command.trim()}\` gives ${status}`);
    this.#target.settle();
  }

  /** The values are those of now; the code runs when the script is over. */
  #sample(event: ScriptEvent, code: string): void {
    const socket = this.#flow?.socket;
    const info = socket?.getsockopt(IPPROTO_TCP, TCP_INFO);
    if (info === undefined) throw new ScriptFailure('the code block has no connection to ask for TCP_INFO');
    if (typeof info === 'number') throw new ScriptFailure(`TCP_INFO of the connection: ${errnoName(-info)}`);
    const values = info as TcpInfo as unknown as Record<string, number>;
    const memory = code.includes('SK_MEMINFO_') ? memoryValues(socket?.getsockopt(SOL_SOCKET, SO_MEMINFO)) : {};
    this.#code.add(event.line, code, { ...values, ...memory });
  }
}

/** SO_MEMINFO, by the names of its fields. */
function memoryValues(bytes: unknown): Record<string, number> {
  if (!(bytes instanceof Uint8Array)) return {};
  const words = new Uint32Array(bytes.slice().buffer);
  return Object.fromEntries(MEMORY_FIELDS.map((name, i) => [`SK_MEMINFO_${name}`, words[i] ?? 0]));
}

/** What `--non_fatal` calls an event; undefined: it is fatal in any case. */
function kindOf({ action }: ScriptEvent): 'packet' | 'syscall' | undefined {
  if (action.kind === 'packet') return 'packet';
  return action.kind === 'call' ? 'syscall' : undefined;
}

/** @returns how far from its time a packet came; undefined: in time */
function offTime(at: number, { any, due, latest, tolerance }: Span): string | undefined {
  if (any || (at >= due - tolerance && at <= latest + tolerance)) return undefined;
  const off = Math.round((at - due) * 1000);
  return `it came ${Math.abs(off)} us too ${off < 0 ? 'early' : 'late'} (${Math.round(tolerance * 1000)} us are allowed)`;
}

function unsupportedPacket(packet: PacketSpec): UnsupportedFeature {
  if (packet.protocol === 'udp') return new UnsupportedFeature('UDP');
  return new UnsupportedFeature(packet.protocol === 'other' ? packet.what : 'such a packet');
}
