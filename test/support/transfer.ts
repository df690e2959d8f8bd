/**
 * A user of one socket who follows a script: writes a known stream in pieces and with pauses, reads the other side's and compares every
 * byte, and ends as the script says. Everything happens in readiness callbacks and timers: it works on any clock.
 */
import { Buffer } from 'node:buffer';
import {
  IPPROTO_TCP,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  POLLERR,
  POLLOUT,
  SHUT_WR,
  SO_LINGER,
  SO_OOBINLINE,
  SOL_SOCKET,
  TCP_CORK,
  TCP_NODELAY,
  TCP_QUICKACK,
} from '../../src/socket/constants.ts';
import { EAGAIN, errnoName } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { Clock, Timer } from '../../src/time/clock.ts';
import { type Random, seededRandom } from '../../src/time/random.ts';

/**
 * How a side ends. `shutdown`: says that it has written all, reads to the end, closes. `wait`: reads to the end, then closes. `close`: closes when
 * all is written. `abort`: SO_LINGER 0 after so many bytes read and written. `unread`: stops reading after as many, and closes later.
 */
export type Ending = 'shutdown' | 'wait' | 'close' | 'abort' | 'unread';

export interface Script {
  /** Bytes to write. */
  readonly size: number;
  /** Bytes of a write, and of a read, at most. */
  readonly writeChunk: number;
  readonly readChunk: number;
  /** Probability that a write, or a read, is followed by a pause, and its length, ms. */
  readonly writePause: readonly [number, number];
  readonly readPause: readonly [number, number];
  /** Probability of MSG_MORE on a write that is not the last. */
  readonly more: number;
  /** Probability of MSG_OOB on a write, of a look with MSG_PEEK before a read, and of another TCP_CORK, TCP_NODELAY or TCP_QUICKACK at any time. */
  readonly urgent: number;
  readonly peek: number;
  readonly restless: number;
  readonly ending: Ending;
  /** For `abort` and `unread`: after this many bytes, read and written together. */
  readonly endAfter: number;
  /** Options of IPPROTO_TCP and SOL_SOCKET, set once connected or, on a listener, before. */
  readonly options: readonly (readonly [level: number, option: number, value: number])[];
}

/** A stream repeats after this many bytes: a prime, so that no segment or buffer size hides a shift. */
const PERIOD = 65_537;
const RESTLESS = [TCP_CORK, TCP_NODELAY, TCP_QUICKACK];
const READ_BUFFER = new Uint8Array(1 << 17);

/** What `seed` writes: `PERIOD` bytes, over and over. */
function stream(seed: string): Uint8Array {
  const random = seededRandom(seed);
  const bytes = new Uint8Array(PERIOD + 3);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at += 4) view.setUint32(at, random.uint32());
  return bytes.subarray(0, PERIOD);
}

export class Side {
  readonly name: string;
  readonly script: Script;
  socket: Socket | undefined;
  connected = false;
  written = 0;
  read = 0;
  /** The end of the peer's stream has been read. */
  sawEnd = false;
  /** The socket is closed, by the script or after an error. */
  done = false;
  /** Name of the error that ended it; undefined: none. */
  error: string | undefined;
  /** What is wrong with what was read; undefined: nothing. */
  wrong: string | undefined;
  /** When something was last written or read, ms. */
  progressAt = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #mine: Uint8Array;
  readonly #theirs: Uint8Array;
  readonly #writeTimer: Timer;
  readonly #readTimer: Timer;
  readonly #endTimer: Timer;
  #writePaused = false;
  #readPaused = false;
  #stopped = false;
  #finished = false;

  constructor(name: string, peer: string, seed: string, script: Script, clock: Clock) {
    this.name = name;
    this.script = script;
    this.#clock = clock;
    this.#random = seededRandom(`${seed} user ${name}`);
    this.#mine = stream(`${seed} ${name}`);
    this.#theirs = stream(`${seed} ${peer}`);
    this.#writeTimer = clock.timer(() => {
      this.#writePaused = false;
      this.#act();
    });
    this.#readTimer = clock.timer(() => {
      this.#readPaused = false;
      this.#act();
    });
    this.#endTimer = clock.timer(() => this.#end());
  }

  take(socket: Socket): void {
    this.socket = socket;
    // Urgent bytes are some of the stream, for who compares every byte.
    socket.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1);
    this.progressAt = this.#clock.now();
    socket.onReady = () => this.#act();
    this.#act();
  }

  /** Nothing will ever come: what a user would do who has waited long enough. */
  giveUp(): void {
    this.#end();
  }

  #act(): void {
    if (this.done || this.socket === undefined) return;
    if (!this.connected) {
      const mask = this.socket.poll();
      if ((mask & POLLERR) !== 0) return this.#fail(this.socket.takeError());
      if ((mask & POLLOUT) === 0) return;
      this.connected = true;
      this.#moved(0, 0);
      if (this.done) return;
    }
    if (this.#chance(this.script.restless)) this.#changeMind(this.socket);
    this.#write(this.socket);
    if (!this.done) this.#read(this.socket);
  }

  #changeMind(socket: Socket): void {
    const option = RESTLESS[Math.floor(this.#random.float() * RESTLESS.length)] as number;
    socket.setsockopt(IPPROTO_TCP, option, this.#chance(0.5) ? 1 : 0);
  }

  /** Draws nothing for what never happens. */
  #chance(probability: number): boolean {
    return probability > 0 && this.#random.float() < probability;
  }

  #write(socket: Socket): void {
    const { script } = this;
    while (!this.#writePaused && this.written < script.size) {
      const at = this.written % PERIOD;
      const most = Math.min(
        script.size - this.written,
        PERIOD - at,
        1 + Math.floor(this.#random.float() * script.writeChunk),
      );
      const last = this.written + most === script.size;
      const more = !last && this.#chance(script.more);
      const flags = (more ? MSG_MORE : 0) | (this.#chance(script.urgent) ? MSG_OOB : 0);
      const taken = socket.send(this.#mine.subarray(at, at + most), flags);
      if (taken === -EAGAIN) break;
      if (taken < 0) return this.#fail(-taken);
      this.#moved(0, taken);
      if (this.done) return;
      const [probability, length] = script.writePause;
      if (this.#chance(probability)) {
        this.#writePaused = true;
        this.#writeTimer.set(this.#clock.now() + length);
      }
    }
    if (this.written === script.size && !this.#finished) {
      this.#finished = true;
      if (script.ending === 'close') this.#end();
      else if (script.ending === 'shutdown') socket.shutdown(SHUT_WR);
    }
  }

  #read(socket: Socket): void {
    const { script } = this;
    while (!this.#readPaused && !this.#stopped && !this.sawEnd) {
      const into = READ_BUFFER.subarray(0, 1 + Math.floor(this.#random.float() * script.readChunk));
      const looked = this.#chance(script.peek) ? socket.recv(into, MSG_PEEK) : 0;
      if (looked < 0 && looked !== -EAGAIN) return this.#fail(-looked);
      if (looked > 0) this.#compare(into.subarray(0, looked));
      const got = socket.recv(into);
      if (looked > 0 && got !== looked) this.wrong ??= `MSG_PEEK showed ${looked} bytes, recv then gave ${got}`;
      if (got === -EAGAIN) return;
      if (got < 0) return this.#fail(-got);
      if (got === 0) this.sawEnd = true;
      else this.#compare(into.subarray(0, got));
      this.#moved(got, 0);
      if (this.done) return;
      const [probability, length] = script.readPause;
      if (this.#chance(probability)) {
        this.#readPaused = true;
        this.#readTimer.set(this.#clock.now() + length);
      }
    }
    if (this.sawEnd && this.written === script.size) this.#end();
  }

  #moved(read: number, written: number): void {
    this.read += read;
    this.written += written;
    this.progressAt = this.#clock.now();
    const { ending, endAfter } = this.script;
    if (this.read + this.written < endAfter) return;
    if (ending === 'abort') {
      this.socket?.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
      this.#end();
    } else if (ending === 'unread' && !this.#stopped) {
      this.#stopped = true;
      this.#endTimer.set(this.#clock.now() + 2000);
    }
  }

  #compare(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = (this.read + done) % PERIOD;
      const length = Math.min(bytes.length - done, PERIOD - at);
      if (Buffer.compare(bytes.subarray(done, done + length), this.#theirs.subarray(at, at + length)) !== 0) {
        this.wrong ??= `bytes ${this.read + done}..${this.read + done + length} are not those that were sent`;
      }
      done += length;
    }
  }

  #fail(errno: number): void {
    this.error = errnoName(errno);
    this.#end();
  }

  #end(): void {
    if (this.done) return;
    this.done = true;
    this.#writeTimer.clear();
    this.#readTimer.clear();
    this.#endTimer.clear();
    this.socket?.close();
  }
}

/** Sets a script's options on a socket. */
export function setOptions(socket: Socket, script: Script): void {
  for (const [level, option, value] of script.options) {
    const result = socket.setsockopt(level, option, value);
    if (result < 0) throw new Error(`setsockopt(${level}, ${option}, ${value}): ${errnoName(-result)}`);
  }
}

export { IPPROTO_TCP };
