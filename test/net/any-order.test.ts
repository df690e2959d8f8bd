/**
 * Calls of all kinds, interleaved at random: whatever the order, every promise settles, with what the contract has; reads and writes of one connection
 * come one after the other; what was written is what is read; nobody waits for what is there; and nothing is left.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  AddrError,
  CanceledError,
  ClosedError,
  DeadlineExceededError,
  DialTimeoutError,
  SyscallError,
} from '../../src/net/errors.ts';
import { OpError } from '../../src/net/op-error.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import { type Random, seededRandom } from '../../src/time/random.ts';
import { connectedHosts, type Pair } from '../support/pair.ts';

const REASONS = [CanceledError, ClosedError, DeadlineExceededError, DialTimeoutError, SyscallError, AddrError];
const POISON = 0xee;
const VALUES = 0xe0;

/** One end, and what is known of it. */
class End {
  readonly conn: TCPConn;
  /** By the order of calls: bytes that went out; undefined while it waits. */
  readonly writes: (number | undefined)[] = [];
  readonly received: number[] = [];
  reading = 0;
  lastRead = -1;
  reads = 0;
  /** It ended, or was ended: what is on its way may be lost. */
  isOver = false;
  writing = 0;
  peer: End | undefined;

  constructor(conn: TCPConn) {
    this.conn = conn;
  }

  /** The stream that its writes make: of each write as many bytes of its own value as went out. */
  sent(): number[] {
    return this.writes.flatMap((count, id) => Array<number>(count ?? 0).fill(id % VALUES));
  }
}

class Play {
  readonly #random: Random;
  readonly #pair: Pair;
  readonly #ends: End[] = [];
  /** By the port of the end that dialled. */
  readonly #byName = new Map<string, End>();
  readonly #signals: { controller: AbortController; listening: () => number }[] = [];
  readonly #buffers: Uint8Array[] = [];
  readonly #pending = new Set<string>();
  readonly #wrong: string[] = [];
  #listener: TCPListener | undefined;
  #accepts = 0;
  #calls = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#pair = connectedHosts({ seed, latency: 1 });
  }

  #below(n: number): number {
    return this.#random.uint32() % n;
  }

  #some<T>(list: readonly T[]): T | undefined {
    return list[this.#below(list.length || 1)];
  }

  /** One end; mostly of the latest that are open. */
  #anEnd(): End | undefined {
    const open = this.#ends.filter(({ isOver }) => !isOver).slice(-4);
    return this.#some(open.length === 0 || this.#below(10) === 0 ? this.#ends : open);
  }

  /** Now and then a signal, which may be one that others have. */
  #signal(): AbortSignal | undefined {
    if (this.#below(3) > 0) return undefined;
    const old = this.#some(this.#signals);
    if (old !== undefined && this.#below(2) === 0) return old.controller.signal;
    const controller = new AbortController();
    const { signal } = controller;
    let count = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...rest: Parameters<typeof addEventListener>) => {
      count++;
      addEventListener.apply(signal, rest);
    };
    signal.removeEventListener = (...rest: Parameters<typeof removeEventListener>) => {
      count--;
      removeEventListener.apply(signal, rest);
    };
    this.#signals.push({ controller, listening: () => (signal.aborted ? 0 : count) });
    return signal;
  }

  /** Follows a call until it settles; `op`: what its error is to be of. */
  #follow<T>(
    op: string,
    call: Promise<T>,
    done: (result: T) => void,
    failed: (error: OpError) => void = () => {},
  ): void {
    const name = `${op} ${this.#calls++}`;
    this.#pending.add(name);
    call.then(
      (result) => {
        this.#pending.delete(name);
        done(result);
      },
      (error: OpError) => {
        this.#pending.delete(name);
        const isGood = error instanceof OpError && error.op === op && REASONS.some((kind) => error.err instanceof kind);
        if (!isGood) this.#wrong.push(`${name}: ${error.stack}`);
        else failed(error);
      },
    );
  }

  readonly #steps: (() => unknown)[] = [
    () => this.#dial(),
    () => this.#accept(),
    () => this.#read(),
    () => this.#read(),
    () => this.#read(),
    () => this.#write(),
    () => this.#write(),
    () => this.#write(),
    () => this.#write(),
    () => this.#write(),
    () => this.#settings(),
    () => this.#close(),
    () => this.#some(this.#signals)?.controller.abort(),
    () => this.#pair.clock.advance(this.#below(4) / 2),
    () => this.#pair.clock.advance(this.#below(40)),
    () => Promise.resolve(),
    () => new Promise((resolve) => setImmediate(resolve)),
    () => this.#quiet(),
  ];

  #dial(): void {
    const options = { signal: this.#signal(), timeout: this.#below(4) === 0 ? this.#below(3) || -1 : 0 };
    this.#follow('dial', this.#pair.client.dial('tcp', '10.9.0.2:80', options), (conn) => {
      const end = new End(conn);
      this.#meet(`${conn.localAddr()}`, end);
      this.#ends.push(end);
    });
  }

  /** The two ends of a connection; some have little room. */
  #meet(name: string, end: End): void {
    if (this.#below(2) === 0) end.conn.setWriteBuffer(this.#below(9000));
    if (this.#below(2) === 0) end.conn.setReadBuffer(this.#below(9000));
    const other = this.#byName.get(name);
    // A port that is used again has another peer.
    if (other === undefined || other.peer !== undefined) this.#byName.set(name, end);
    else {
      end.peer = other;
      other.peer = end;
    }
  }

  #accept(): void {
    if (this.#listener === undefined) return;
    this.#accepts++;
    const over = () => {
      this.#accepts--;
    };
    const accepting = this.#listener.accept({ signal: this.#signal() });
    const accepted = (conn: TCPConn) => {
      over();
      const end = new End(conn);
      this.#meet(`${conn.remoteAddr()}`, end);
      this.#ends.push(end);
    };
    this.#follow('accept', accepting, accepted, over);
  }

  #read(): void {
    const end = this.#anEnd();
    if (end === undefined) return;
    const turn = end.reads++;
    const into = new Uint8Array(this.#below(8) === 0 ? 0 : this.#below(20_000)).fill(POISON);
    end.reading++;
    const signal = this.#signal();
    const over = () => {
      end.reading--;
    };
    const took = (bytes: Uint8Array | null) => {
      over();
      if (bytes === null || bytes.length === 0) return;
      if (turn < end.lastRead) this.#wrong.push('a read was served before one that came first');
      end.lastRead = turn;
      for (const byte of bytes) end.received.push(byte);
    };
    if (this.#below(3) === 0) this.#follow('read', end.conn.readChunk({ signal }), took, over);
    else {
      const done = (count: number | null) => {
        took(count === null ? null : into.slice(0, count));
        // From here on it is ours: what changes in it is wrong.
        into.fill(POISON);
        this.#buffers.push(into);
      };
      this.#follow('read', end.conn.read(into, { signal }), done, () => {
        over();
        if (into.some((byte) => byte !== POISON)) this.#wrong.push('a read that failed wrote into its buffer');
        this.#buffers.push(into);
      });
    }
  }

  #write(): void {
    const end = this.#anEnd();
    if (end === undefined) return;
    const id = end.writes.push(undefined) - 1;
    const size = this.#below(4) === 0 ? this.#below(60_000) : this.#below(3000);
    const bytes = new Uint8Array(size).fill(id % VALUES);
    const op = this.#below(3) === 0 ? 'writev' : 'write';
    const signal = this.#signal();
    const cut = this.#below(size + 1);
    const call =
      op === 'write'
        ? end.conn.write(bytes, { signal })
        : end.conn.writev([bytes.subarray(0, cut), new Uint8Array(0), bytes.subarray(cut)], { signal });
    end.writing++;
    const over = (count: number) => {
      end.writing--;
      end.writes[id] = count;
      // The stack has its own by now.
      bytes.fill(POISON);
    };
    const done = (count: number) => {
      if (count !== size) this.#wrong.push(`a write of ${size} gave ${count}`);
      over(count);
    };
    this.#follow(op, call, done, (error) => over(error.bytesWritten));
  }

  #settings(): void {
    const end = this.#anEnd();
    const at = this.#below(3) === 0 ? null : this.#pair.clock.wallNow() + this.#below(20) - 5;
    if (end === undefined || this.#below(5) === 0) return this.#try(() => this.#listener?.setDeadline(at));
    const { conn } = end;
    this.#try(
      this.#some([
        () => conn.setReadDeadline(at),
        () => conn.setWriteDeadline(at),
        () => conn.setDeadline(at),
        () => conn.setNoDelay(this.#below(2) === 0),
        () => void conn.unref().ref(),
      ]) as () => void,
    );
  }

  #close(): void {
    const end = this.#anEnd();
    const which = this.#below(24);
    if (which === 0) {
      // Connections that nobody accepted go with it.
      this.#try(() => this.#listener?.close());
      this.#listener = undefined;
      for (const each of this.#ends) if (each.peer === undefined) each.isOver = true;
      return;
    }
    if (end === undefined || which < 12) return;
    if (which === 12) this.#try(() => end.conn.closeWrite());
    else if (which === 13) this.#try(() => end.conn.closeRead());
    else if (which < 15) this.#end(end);
    else if (which === 15) {
      this.#try(() => end.conn.setLinger(0));
      this.#end(end);
    }
  }

  #end(end: End): void {
    end.isOver = true;
    if (end.peer !== undefined) end.peer.isOver = true;
    this.#try(() => end.conn.close());
  }

  /** What is done at once may be refused, and says so like anything else. */
  #try(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (error instanceof ClosedError || (error instanceof OpError && /^(set|close)$/.test(error.op))) return;
      this.#wrong.push(`${(error as Error).stack}`);
    }
  }

  /** After a while without calls nobody waits for what is there: bytes, the end of a stream, room, a connection. */
  async #quiet(): Promise<void> {
    if (this.#below(4) > 0) return;
    const { client, server, clock } = this.#pair;
    await clock.advance(500);
    const sockets = new Map(
      [...client.sockets(), ...server.sockets()].map((each) => [ends(each.local, each.remote), each]),
    );
    for (const { conn, reading, writing } of this.#ends) {
      const socket = sockets.get(ends(conn.localAddr(), conn.remoteAddr()));
      if (socket === undefined) continue;
      const { state, recvQ, sendQ } = socket;
      if (reading > 0 && (recvQ > 0 || state === 'CLOSE-WAIT'))
        this.#wrong.push(`a read waits: ${state}, ${recvQ} bytes`);
      if (writing > 0 && (sendQ === 0 || !/EST|CLOSE-WAIT/.test(state))) this.#wrong.push(`a write waits: ${state}`);
    }
    const listening = server.sockets().find(({ state }) => state === 'LISTEN');
    if (this.#accepts > 0 && listening !== undefined && listening.recvQ > 0)
      this.#wrong.push(`an accept waits, and so do ${listening.recvQ} connections`);
  }

  async run(length: number): Promise<string[]> {
    const { clock, server } = this.#pair;
    for (let i = 0; i < length; i++) {
      if (this.#listener === undefined)
        await server.listen('tcp', '10.9.0.2:80').then(
          (listener) => {
            this.#listener = listener;
          },
          () => {},
        );
      await this.#some(this.#steps)?.();
    }
    this.#listener?.close();
    for (const end of this.#ends) this.#drain(end);
    await clock.advance(30_000);
    for (const end of this.#ends) this.#try(() => end.conn.closeWrite());
    await clock.advance(30_000);
    for (const end of this.#ends) this.#try(() => end.conn.close());
    await clock.advance(200_000);
    this.#check();
    await this.#pair.close();
    return this.#wrong;
  }

  /** Reads to the end. */
  #drain(end: End): void {
    this.#try(() => end.conn.setDeadline(null));
    const again = (bytes: Uint8Array | null) => {
      if (bytes === null) return;
      for (const byte of bytes) end.received.push(byte);
      this.#follow('read', end.conn.readChunk(), again);
    };
    this.#follow('read', end.conn.readChunk(), again);
  }

  #check(): void {
    if (this.#pending.size > 0) this.#wrong.push(`never settled: ${[...this.#pending].join(', ')}`);
    if (this.#buffers.some((bytes) => bytes.some((byte) => byte !== POISON)))
      this.#wrong.push('a buffer was written to after its read was over');
    const listening = this.#signals.reduce((sum, signal) => sum + signal.listening(), 0);
    if (listening !== 0) this.#wrong.push(`${listening} listeners of signals are left`);
    if (this.#pair.clock.pending.held !== 0) this.#wrong.push(`${this.#pair.clock.pending.held} holds are left`);
    for (const { peer, received } of this.#ends) {
      const sent = peer?.sent() ?? [];
      const differs = received.findIndex((byte, i) => byte !== sent[i]);
      if (peer !== undefined && differs >= 0) this.#wrong.push(`byte ${differs} of a stream is another`);
    }
  }
}

/** Which connection, and which side of it. */
const ends = (local: unknown, remote: unknown) => `${local} ${remote}`;

describe('net, calls in any order', () => {
  it('keep what is promised', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        expect((await new Play(seed).run(400)).join('\n')).to.equal('');
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 6) },
    );
  }).timeout(600_000);
});
