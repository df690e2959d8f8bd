/** The load generator: a process on the kernel's side of a TUN device or a veth pair that does nothing but system calls. */
import { enterNetworkNamespace } from '../src/link/tun-namespace.ts';
import { answer } from './child.ts';
import {
  abort,
  close,
  dial,
  EAGAIN,
  EINTR,
  enterNamespaceOf,
  errno,
  makeBlocking,
  POLLIN,
  POLLOUT,
  PollSet,
  pin,
  read,
  unacknowledged,
  write,
} from './kernel.ts';
import { createVeth, PEER_ADDRESS, prepareNamespace, SOURCES } from './namespace.ts';

/** Ways in and out of a bulk transfer are counted when it runs at its speed: after this long, s. */
const WARM_UP = 0.25;
/** No bytes for this long, s: the transfer has failed. */
const STALL = 5;
/** Calls on one descriptor before the others are looked at. */
const TURN = 16;
/** Connections that a measurement makes at most: fewer than there are ports. */
const CONNECTIONS = 20_000;

export interface BulkCall {
  /** As the peer sees it: `in`, it receives. */
  readonly direction: 'in' | 'out';
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface PingPongCall {
  readonly port: number;
  readonly seconds: number;
  /** Bytes. */
  readonly size: number;
  /** Both ends on CPU 0: this process and that one. */
  readonly pinTo?: number;
}

export interface ConnectCall {
  readonly port: number;
  readonly seconds: number;
  readonly inFlight: number;
}

/** `cpu`: of this process, 1 is one CPU. */
export interface LoadResult {
  readonly value: number;
  readonly p99?: number;
  readonly cpu: number;
}

const seconds = () => performance.now() / 1000;
let turn = 0;
/** Another address each time: ports that the last measurement left in TIME-WAIT are not in the way. */
const nextSource = () => SOURCES[turn++ % SOURCES.length] as string;

function connectAll(call: BulkCall): PollSet {
  const set = new PollSet(call.connections);
  const source = nextSource();
  for (let i = 0; i < set.size; i++) {
    const one = new PollSet(1);
    one.set(0, dial(source, PEER_ADDRESS, call.port), POLLOUT);
    if (one.wait(5000) !== 1) throw new Error('connect: timed out');
    set.set(i, one.fd(0), call.direction === 'in' ? POLLOUT : POLLIN);
  }
  return set;
}

function delivered(set: PollSet, total: number, direction: 'in' | 'out'): number {
  if (direction === 'out') return total;
  let waiting = 0;
  for (let i = 0; i < set.size; i++) waiting += unacknowledged(set.fd(i));
  return total - waiting;
}

/** Gbit/s: `in`: bytes that the peer has acknowledged, `out`: bytes that were read. */
function bulk(call: BulkCall): LoadResult {
  const set = connectAll(call);
  const move = call.direction === 'in' ? write : read;
  const begin = seconds() + WARM_UP;
  const end = begin + call.seconds;
  const state = { total: 0, last: seconds(), atBegin: -1, begin, cpu: process.cpuUsage() };
  for (let now = seconds(); now < end; now = seconds()) {
    if (state.atBegin < 0 && now >= begin) {
      state.atBegin = delivered(set, state.total, call.direction);
      state.begin = now;
      state.cpu = process.cpuUsage();
    }
    if (now - state.last > STALL) throw new Error(`nothing moved for ${STALL} s`);
    if (set.wait(50) <= 0) continue;
    for (let i = 0; i < set.size; i++) {
      if (set.ready(i) !== 0) state.total += moveSome(set.fd(i), move, end);
    }
    state.last = seconds();
  }
  const elapsed = seconds() - state.begin;
  const bytes = delivered(set, state.total, call.direction) - state.atBegin;
  const cpu = cpuSince(state.cpu, elapsed);
  for (let i = 0; i < set.size; i++) abort(set.fd(i));
  return { value: (bytes * 8e-9) / elapsed, cpu };
}

function moveSome(fd: number, move: (fd: number) => number, end: number): number {
  let total = 0;
  for (let i = 0; i < TURN && seconds() < end; i++) {
    const moved = move(fd);
    if (moved > 0) {
      total += moved;
      continue;
    }
    const error = moved === 0 ? 0 : errno();
    if (error !== EAGAIN && error !== EINTR) throw new Error(`the connection ended: errno ${error}`);
    break;
  }
  return total;
}

/** us a round trip: the median, and what one in a hundred exceeds. */
function pingPong({ port, seconds: duration, size, pinTo }: PingPongCall): LoadResult {
  if (pinTo !== undefined) for (const pid of [0, pinTo]) pin(pid, 1);
  const one = new PollSet(1);
  one.set(0, dial(nextSource(), PEER_ADDRESS, port), POLLOUT);
  if (one.wait(5000) !== 1) throw new Error('connect: timed out');
  const fd = one.fd(0);
  makeBlocking(fd);
  const times: number[] = [];
  const start = seconds();
  const end = start + duration;
  const cpu = process.cpuUsage();
  for (let before = start; before < end; ) {
    if (write(fd, size) !== size) throw new Error(`send: errno ${errno()}`);
    for (let left = size; left > 0; ) {
      const got = read(fd, left);
      if (got <= 0) throw new Error(`recv: ${got < 0 ? `errno ${errno()}` : 'end of stream'}`);
      left -= got;
    }
    const now = seconds();
    times.push(now - before);
    before = now;
  }
  close(fd);
  const used = cpuSince(cpu, seconds() - start);
  if (pinTo !== undefined) for (const pid of [0, pinTo]) pin(pid, -1);
  const sorted = Float64Array.from(times.slice(Math.min(200, times.length >> 3))).sort();
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] as number) * 1e6;
  return { value: at(0.5), p99: at(0.99), cpu: used };
}

/** Connections a second: connect, wait for the peer's FIN, close. */
function connections({ port, seconds: duration, inFlight }: ConnectCall): LoadResult {
  const set = new PollSet(inFlight);
  const source = nextSource();
  const start = seconds();
  const end = start + duration;
  const cpu = process.cpuUsage();
  let started = 0;
  let done = 0;
  const begin = (place: number) => {
    if (started === CONNECTIONS) return set.set(place, -1, 0);
    started++;
    set.set(place, dial(source, PEER_ADDRESS, port), POLLIN);
  };
  for (let i = 0; i < inFlight; i++) begin(i);
  while (done < CONNECTIONS && seconds() < end) {
    if (set.wait(1000) <= 0) throw new Error(`no connection ended for 1 s, after ${done}`);
    for (let i = 0; i < inFlight; i++) {
      if (set.ready(i) === 0) continue;
      const got = read(set.fd(i), 64);
      if (got < 0 && errno() === EAGAIN) continue;
      if (got !== 0) throw new Error(`recv: ${got < 0 ? `errno ${errno()}` : `${got} bytes`}`);
      done++;
      close(set.fd(i));
      begin(i);
    }
  }
  const elapsed = seconds() - start;
  for (let i = 0; i < inFlight; i++) if (set.fd(i) >= 0) abort(set.fd(i));
  return { value: done / elapsed, cpu: cpuSince(cpu, elapsed) };
}

function cpuSince(before: NodeJS.CpuUsage, elapsed: number): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / elapsed;
}

answer({
  /** To the kernel's side of a TUN device that the process opened. */
  join: (pid: number) => enterNamespaceOf(pid),
  /** A namespace of its own, and a veth pair whose other end is in that of the process. */
  connect: (pid: number) => {
    enterNetworkNamespace();
    createVeth(pid);
    prepareNamespace('bench0', '10.9.0.1/24');
  },
  bulk,
  pingPong,
  connections,
});
