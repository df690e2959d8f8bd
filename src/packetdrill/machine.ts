/** The host under test: a stack over a link that is the script's, on a clock that moves when the script says so. */
import type { Link, LinkCapabilities, LinkReceiver } from '../link/link.ts';
import { Packet, type PacketBatch } from '../link/packet.ts';
import { SOCK_STREAM } from '../socket/constants.ts';
import { createSocket } from '../socket/create-socket.ts';
import { ESOCKTNOSUPPORT } from '../socket/errno.ts';
import { Stack } from '../stack/stack.ts';
import type { TcpConfig } from '../tcp/config.ts';
import type { SegmentHasher } from '../tcp/segment-hasher.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { seededRandom } from '../time/random.ts';
import { QueuedTimer, TimerQueue } from '../time/timer-queue.ts';
import type { IpAddress } from '../wire/address.ts';
import { Commands } from './commands.ts';
import type { PassedPacket, Target, TestSocket } from './target.ts';

/** Where time starts: late enough that times before it make sense to the stack. */
const START = 100_000;
/** 2026-01-01 00:00 UTC. */
const WALL_START = 1_767_225_600_000;
/** Jumps without time going on after which timers are taken to re-arm each other forever. */
const STANDSTILL = 100_000;
/** Bytes before an injected packet, for a link's own header. */
const HEADROOM = 64;

/** Unlike VirtualClock it needs no turns of the event loop: nothing on it makes promises, and a script takes a millisecond. */
class ScriptClock implements Clock {
  readonly #timers = new TimerQueue(() => {});
  readonly #deferred: (() => void)[] = [];
  #now = START;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return WALL_START - START + this.#now;
  }

  timer(callback: () => void, background = false): Timer {
    return new QueuedTimer(this.#timers, callback, background);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  hold(): void {}

  unhold(): void {}

  /** Does what was deferred. */
  flush(): void {
    for (let next = this.#deferred.shift(); next !== undefined; next = this.#deferred.shift()) next();
  }

  next(): number {
    return this.#timers.next();
  }

  /** Goes to a time, at which what is due fires. */
  go(to: number): void {
    this.#now = Math.max(this.#now, to);
    this.#timers.fireDue(this.#now);
  }
}

class ScriptLink implements Link {
  readonly name = 'script';
  readonly capabilities: LinkCapabilities;
  receiver: LinkReceiver | undefined;
  readonly #sent: (bytes: Uint8Array) => void;

  constructor(mtu: number, sent: (bytes: Uint8Array) => void) {
    this.capabilities = { mtu, checksumOffload: false, segmentationOffload: 0 };
    this.#sent = sent;
  }

  attach(receiver: LinkReceiver): void {
    this.receiver = receiver;
  }

  send(batch: PacketBatch): number {
    for (let i = 0; i < batch.length; i++) {
      const packet = batch.packets[i] as Packet;
      const bytes = new Uint8Array(packet.totalLength());
      packet.copyTo(bytes, 0);
      this.#sent(bytes);
    }
    return batch.length;
  }

  close(): void {}
}

export interface MachineOptions {
  readonly local: IpAddress;
  /** Prefix length of the local network. */
  readonly bits: number;
  readonly mtu: number;
  readonly sysctl: Partial<TcpConfig>;
  readonly hasher: SegmentHasher | undefined;
}

export class Machine implements Target {
  readonly sent: PassedPacket[] = [];
  readonly passed: PassedPacket[] = [];
  onChange: () => void = () => {};
  readonly #clock = new ScriptClock();
  readonly #link: ScriptLink;
  readonly #stack: Stack;
  readonly #commands: Commands;

  constructor({ local, bits, mtu, sysctl, hasher }: MachineOptions) {
    this.#link = new ScriptLink(mtu, (bytes) => {
      const packet: PassedPacket = { at: this.now, bytes, direction: 'out' };
      this.sent.push(packet);
      this.passed.push(packet);
    });
    this.#stack = new Stack({ clock: this.#clock, random: seededRandom('packetdrill'), sysctl, hasher });
    this.#commands = new Commands(this.#stack);
    const script = this.#stack.addInterface(this.#link, { addresses: [{ address: local, bits }] });
    this.#stack.addRoute({ destination: local, bits: 0, interface: script });
  }

  get now(): number {
    return this.#clock.now() - START;
  }

  socket(domain: number, type: number, protocol: number): TestSocket | number {
    // Scripts know TCP alone.
    return type === SOCK_STREAM ? createSocket(this.#stack, domain, SOCK_STREAM, protocol) : -ESOCKTNOSUPPORT;
  }

  command(text: string, note: (text: string) => void): number {
    return this.#commands.run(text, note);
  }

  alarm(at: number): void {
    this.#clock.timer(() => {}).set(START + at);
  }

  settle(): void {
    this.#clock.flush();
    this.onChange();
    this.#clock.flush();
  }

  run(until: number, enough: () => boolean): boolean {
    this.settle();
    for (let jumps = 0; !enough(); jumps++) {
      const next = this.#clock.next();
      if (next > START + until) {
        this.#clock.go(START + until);
        return false;
      }
      if (jumps > STANDSTILL) throw new Error(`time stands still at ${this.now} ms: timers are armed again and again`);
      if (next > this.#clock.now()) jumps = 0;
      this.#clock.go(next);
      this.settle();
    }
    return true;
  }

  inject(bytes: Uint8Array, pieceSize: number): void {
    const receiver = this.#link.receiver as LinkReceiver;
    const packet = new Packet(receiver.slab.take(), HEADROOM);
    packet.chunk.bytes.set(bytes, HEADROOM);
    packet.length = bytes.length;
    packet.segmentSize = pieceSize;
    this.passed.push({ at: this.now, bytes, direction: 'in' });
    receiver.receive({ packets: [packet], length: 1 });
    packet.chunk.release();
    this.settle();
  }

  close(): number {
    this.onChange = () => {};
    this.#stack.close();
    this.#clock.flush();
    return this.#stack.slab.live;
  }
}
