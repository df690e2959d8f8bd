/**
 * A user of one socket who follows a script: writes a known stream in pieces and with pauses, reads the other side's and compares every
 * byte, and ends as the script says. Everything happens in readiness callbacks and timers: it works on any clock.
 */
import {
  IPPROTO_TCP,
  MSG_EOR,
  MSG_FASTOPEN,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  POLLERR,
  POLLOUT,
  POLLPRI,
  SHUT_WR,
  SO_LINGER,
  SO_OOBINLINE,
  SOL_SOCKET,
  TCP_CORK,
  TCP_NODELAY,
  TCP_QUICKACK,
} from '../../src/socket/constants.ts';
import { EAGAIN, EINPROGRESS, EINVAL, ENOTCONN, errnoName } from '../../src/socket/errno.ts';
import type { Socket, SocketAddress } from '../../src/socket/socket.ts';
import type { Clock, Timer } from '../../src/time/clock.ts';
import { type Random, seededRandom } from '../../src/time/random.ts';
import { PERIOD, StreamCheck, stream } from './stream-check.ts';

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
  /** Probability of MSG_EOR on a write, and of MSG_OOB whose byte the peer reads out of band. */
  readonly records?: number;
  readonly outOfBand?: number;
  readonly ending: Ending;
  /** For `abort` and `unread`: after this many bytes, read and written together. */
  readonly endAfter: number;
  /** Options of IPPROTO_TCP and SOL_SOCKET, set once connected or, on a listener, before. */
  readonly options: readonly (readonly [level: number, option: number, value: number | string])[];
}

const RESTLESS = [TCP_CORK, TCP_NODELAY, TCP_QUICKACK];
const READ_BUFFER = new Uint8Array(1 << 17);
const URGENT_BYTE = new Uint8Array(1);

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
  /** Places of the bytes of this side's stream that were urgent, for the peer to read out of band. */
  readonly urgent: number[] = [];
  readonly #mine: Uint8Array;
  readonly #theirs: StreamCheck;
  readonly #writeTimer: Timer;
  readonly #readTimer: Timer;
  readonly #endTimer: Timer;
  #writePaused = false;
  #readPaused = false;
  #stopped = false;
  #finished = false;
  #urgentWrite = false;
  /** Undefined: in the stream, as all other bytes. */
  #peerUrgent: readonly number[] | undefined;
  /** MSG_FASTOPEN goes with the first write, to this address. */
  #fastTo: SocketAddress | undefined;

  constructor(name: string, peer: string, seed: string, script: Script, clock: Clock) {
    this.name = name;
    this.script = script;
    this.#clock = clock;
    this.#random = seededRandom(`${seed} user ${name}`);
    this.#mine = stream(`${seed} ${name}`);
    this.#theirs = new StreamCheck(stream(`${seed} ${peer}`));
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

  /** What the peer writes urgently comes out of band. */
  expectUrgent({ urgent, script }: Side): void {
    if ((script.outOfBand ?? 0) > 0) this.#peerUrgent = urgent;
  }

  /** @param fastTo the socket is not connected: the first write does that, with MSG_FASTOPEN */
  take(socket: Socket, fastTo?: SocketAddress): void {
    this.socket = socket;
    this.#fastTo = fastTo;
    // Urgent bytes are some of the stream, for who compares every byte.
    if (this.#peerUrgent === undefined) socket.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1);
    this.progressAt = this.#clock.now();
    socket.onReady = () => this.#act();
    this.#act();
  }

  /** Nothing will ever come: what a user would do who has waited long enough. */
  giveUp(): void {
    this.#end();
  }

  #act(): void {
    const { socket } = this;
    if (this.done || socket === undefined) return;
    if (!this.connected) {
      if (this.#fastTo !== undefined) return this.#openFast(socket, this.#fastTo);
      const mask = socket.poll();
      if ((mask & POLLERR) !== 0) return this.#fail(socket.takeError());
      if ((mask & POLLOUT) === 0) return;
      this.connected = true;
      this.#moved(0, 0);
      if (this.done) return;
    }
    if (this.#chance(this.script.restless)) this.#changeMind(socket);
    this.#write(socket);
    if (!this.done) this.#read(socket);
  }

  /** RFC 7413 A.1: a first write that connects. What it takes counts as written. */
  #openFast(socket: Socket, to: SocketAddress): void {
    this.#fastTo = undefined;
    const most = Math.min(this.script.size, PERIOD, 1 + Math.floor(this.#random.float() * this.script.writeChunk));
    const taken = socket.send(this.#mine.subarray(0, most), MSG_FASTOPEN, to);
    if (taken < 0 && taken !== -EINPROGRESS) return this.#fail(-taken);
    if (taken > 0) this.#moved(0, taken);
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
      const taken = socket.send(this.#mine.subarray(at, at + most), this.#flags(this.written + most === script.size));
      // The SYN of a connect that was left to this write has gone, and took nothing.
      if (taken === -EAGAIN || taken === -EINPROGRESS) break;
      if (taken < 0) return this.#fail(-taken);
      this.#note(taken);
      this.#moved(0, taken);
      if (this.done) return;
      const [probability, length] = script.writePause;
      if (this.#chance(probability)) {
        this.#writePaused = true;
        this.#writeTimer.set(this.#clock.now() + length);
      }
    }
    // A connection that is being opened would be given up.
    if (this.written === script.size && !this.#finished && socket.connection?.opening !== true) {
      this.#finished = true;
      if (script.ending === 'close') this.#end();
      else if (script.ending === 'shutdown') socket.shutdown(SHUT_WR);
    }
  }

  #flags(last: boolean): number {
    const { more, urgent, records = 0, outOfBand = 0 } = this.script;
    const waits = !last && this.#chance(more) ? MSG_MORE : 0;
    const oob = this.#chance(urgent) || this.#chance(outOfBand);
    this.#urgentWrite = oob;
    return waits | (oob ? MSG_OOB : 0) | (this.#chance(records) ? MSG_EOR : 0);
  }

  /** The last byte that a write with MSG_OOB takes is urgent, whether all were taken or not. */
  #note(taken: number): void {
    if (this.#urgentWrite && taken > 0) this.urgent.push(this.written + taken - 1);
  }

  #read(socket: Socket): void {
    const { script } = this;
    if (this.#peerUrgent !== undefined && (socket.poll() & POLLPRI) !== 0) this.#readUrgent(socket, this.#peerUrgent);
    while (!this.#readPaused && !this.#stopped && !this.sawEnd) {
      const into = READ_BUFFER.subarray(0, 1 + Math.floor(this.#random.float() * script.readChunk));
      const looked = this.#chance(script.peek) ? socket.recv(into, MSG_PEEK) : 0;
      if (looked < 0 && looked !== -EAGAIN) return this.#fail(-looked);
      if (looked > 0 && !this.#theirs.shows(into.subarray(0, looked), this.#peerUrgent ?? [])) this.#differs(looked);
      const got = socket.recv(into);
      if (looked > 0 && got !== looked) this.wrong ??= `MSG_PEEK showed ${looked} bytes, recv then gave ${got}`;
      if (got === -EAGAIN) return;
      if (got < 0) return this.#fail(-got);
      if (got === 0) this.sawEnd = true;
      else if (!this.#theirs.takes(into.subarray(0, got), this.#peerUrgent ?? [])) this.#differs(got);
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

  /** POLLPRI says that there is an urgent byte, here or still to come. */
  #readUrgent(socket: Socket, places: readonly number[]): void {
    const got = socket.recv(URGENT_BYTE, MSG_OOB);
    if (got === 1) {
      if (!places.some((place) => this.#theirs.at(place) === URGENT_BYTE[0])) this.wrong ??= 'no such byte was urgent';
    } else if (got < 0 && got !== -EAGAIN && got !== -EINVAL && got !== -ENOTCONN) {
      // ENOTCONN: a reset took it along, and the next read says so.
      this.#fail(-got);
    }
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

  #differs(count: number): void {
    this.wrong ??= `bytes ${this.read}..${this.read + count} are not those that were sent`;
  }

  /** Whether all of the peer's stream has been read, but for what was read out of band. */
  hasAllOf({ script, urgent }: Side): boolean {
    if (this.#peerUrgent === undefined) return this.read === script.size;
    return this.#theirs.endsAt(script.size, urgent);
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
export function setOptions(socket: Socket, { options }: Pick<Script, 'options'>): void {
  for (const [level, option, value] of options) {
    const result = socket.setsockopt(level, option, value);
    if (result < 0) throw new Error(`setsockopt(${level}, ${option}, ${value}): ${errnoName(-result)}`);
  }
}

export { IPPROTO_TCP };
