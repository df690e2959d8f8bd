/** Both ends in one process: two hosts of ours on an in-memory pipe, or node:net with itself over the kernel's loopback. */
import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { createHost, type Host } from '../src/host.ts';
import { createPipe } from '../src/link/pipe.ts';
import { enterNetworkNamespace, setSysctl } from '../src/link/tun-namespace.ts';
import { createNet } from '../src/node.ts';
import { AF_INET, POLLOUT, SOCK_STREAM } from '../src/socket/constants.ts';
import { EAGAIN, EINPROGRESS } from '../src/socket/errno.ts';
import type { Socket } from '../src/socket/socket.ts';
import { type Prefix, parsePrefix } from '../src/wire/address.ts';
import { answer } from './child.ts';
import type { LoadResult } from './load.ts';
import { CLOSE_PORT, HTTP_PORT, SINK_PORT, SOURCE_PORT, serve } from './services.ts';
import { type Net, serveHttp, serveNet, serveNode } from './services-net.ts';

export interface PairCall {
  /** `createNet`: node:net of our hosts. */
  readonly face: 'socket' | 'net' | 'createNet' | 'node';
  /** Bytes; not of node:net, whose loopback has 65536. */
  readonly mtu: number;
  /** Super-segments and partial checksums; node:net's loopback has them. */
  readonly offload: boolean;
  /** node:net may have a network namespace. */
  readonly namespace?: boolean;
}

export interface TimedCall {
  readonly seconds: number;
  readonly inFlight: number;
}

const ADDRESS = '10.9.0.2';
const REMOTE = (parsePrefix(`${ADDRESS}/32`) as Prefix).address;
const LENGTH = 256 * 1024;
const WARM_UP = 250;
/** Connections that a measurement makes at most. */
const CONNECTIONS = 20_000;

/** One end's view of the other, whatever is between. */
interface Client {
  /** Reads from the source service, and counts, until told to stop. */
  stream(count: (bytes: number) => void): Promise<() => void>;
  /** One connection: opened, its end waited for, closed. */
  visit(): Promise<void>;
  /** A connection that is left open. */
  hold(): Promise<unknown>;
  /** A request of HTTP and its answer, on a connection that others use in turn. */
  request?(): Promise<void>;
}

class SocketClient implements Client {
  readonly #host: Host;
  readonly #buffer = new Uint8Array(LENGTH);

  constructor(host: Host) {
    this.#host = host;
  }

  #connect(port: number): Socket {
    const socket = this.#host.socket(AF_INET, SOCK_STREAM);
    const result = socket.connect({ address: REMOTE, port });
    if (result !== -EINPROGRESS) throw new Error(`connect: ${result}`);
    return socket;
  }

  async stream(count: (bytes: number) => void): Promise<() => void> {
    const socket = this.#connect(SOURCE_PORT);
    socket.onReady = () => {
      let got = socket.recv(this.#buffer);
      for (; got > 0; got = socket.recv(this.#buffer)) count(got);
    };
    return () => void socket.close();
  }

  visit(): Promise<void> {
    const socket = this.#connect(CLOSE_PORT);
    return new Promise((resolve, reject) => {
      socket.onReady = () => {
        const got = socket.recv(this.#buffer);
        if (got === -EAGAIN) return;
        socket.close();
        if (got === 0) resolve();
        else reject(new Error(`recv: ${got}`));
      };
    });
  }

  hold(): Promise<unknown> {
    const socket = this.#connect(SINK_PORT);
    return new Promise((resolve) => {
      socket.onReady = (mask) => {
        if ((mask & POLLOUT) === 0) return;
        socket.onReady = undefined;
        resolve(socket);
      };
    });
  }
}

class NetClient implements Client {
  readonly #host: Host;
  readonly #buffer = new Uint8Array(LENGTH);

  constructor(host: Host) {
    this.#host = host;
  }

  async stream(count: (bytes: number) => void): Promise<() => void> {
    const connection = await this.#host.dial('tcp', `${ADDRESS}:${SOURCE_PORT}`);
    const read = async () => {
      for (let got = await connection.read(this.#buffer); got !== null; got = await connection.read(this.#buffer)) {
        count(got);
      }
    };
    // The read that waits when the connection is closed fails.
    read().catch(() => {});
    return () => connection.close();
  }

  async visit(): Promise<void> {
    const connection = await this.#host.dial('tcp', `${ADDRESS}:${CLOSE_PORT}`);
    await connection.read(this.#buffer);
    connection.close();
  }

  hold(): Promise<unknown> {
    return this.#host.dial('tcp', `${ADDRESS}:${SINK_PORT}`);
  }
}

class NodeClient implements Client {
  readonly #net: Net;
  readonly #address: string;
  readonly #agent = new http.Agent({ keepAlive: true });

  constructor(on: Net, address: string) {
    this.#net = on;
    this.#address = address;
    Object.assign(this.#agent, { createConnection: () => this.#connect(HTTP_PORT) });
  }

  #connect(port: number): net.Socket {
    return this.#net.connect(port, this.#address);
  }

  async stream(count: (bytes: number) => void): Promise<() => void> {
    const socket = this.#connect(SOURCE_PORT);
    socket.on('data', (data) => count(data.length)).on('error', () => {});
    return () => void socket.destroy();
  }

  visit(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#connect(CLOSE_PORT).on('close', resolve).on('error', reject).resume();
    });
  }

  hold(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socket = this.#connect(SINK_PORT);
      socket.on('connect', () => resolve(socket)).on('error', reject);
    });
  }

  request(): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = http.get({ agent: this.#agent, host: this.#address }, (response) => {
        response.resume().on('end', resolve);
      });
      request.on('error', reject);
    });
  }
}

let client: Client | undefined;

/** Off the machine's own loopback, and on CUBIC, where that is allowed; see prepareNamespace. */
function enterOwnNetwork(): void {
  enterNetworkNamespace();
  try {
    setSysctl('net.ipv4.tcp_congestion_control', 'cubic');
  } catch {
    setSysctl('net.ipv4.tcp_congestion_control', 'reno');
  }
}

async function open({ face, mtu, offload, namespace }: PairCall): Promise<void> {
  if (face === 'node') {
    if (namespace) enterOwnNetwork();
    await serveNode('127.0.0.1');
    await serveHttp('127.0.0.1');
    client = new NodeClient(net, '127.0.0.1');
    return;
  }
  const [near, far] = createPipe({ mtu, offload });
  const host = createHost({ link: near, address: '10.9.0.1/24' });
  const server = createHost({ link: far, address: `${ADDRESS}/24`, clock: host.clock });
  if (face === 'createNet') {
    const on = createNet(server) as unknown as Net;
    await serveNode(ADDRESS, on);
    await serveHttp(ADDRESS, on);
    client = new NodeClient(createNet(host) as unknown as Net, ADDRESS);
    return;
  }
  if (face === 'net') await serveNet(server);
  else serve(server);
  client = face === 'net' ? new NetClient(host) : new SocketClient(host);
}

function opened(): Client {
  if (client === undefined) throw new Error('call open first');
  return client;
}

/** Gbit/s that are read. */
async function bulk({ seconds }: TimedCall): Promise<LoadResult> {
  let total = 0;
  const stop = await opened().stream((bytes) => {
    total += bytes;
  });
  await sleep(WARM_UP);
  const before = total;
  const start = performance.now();
  await sleep(seconds * 1000);
  const elapsed = performance.now() - start;
  const bytes = total - before;
  stop();
  await sleep(20);
  return { value: (bytes * 8e-6) / elapsed, cpu: 0 };
}

/** Connections a second. */
function connections(call: TimedCall): Promise<LoadResult> {
  return repeat(call, CONNECTIONS, () => opened().visit());
}

/** Requests a second. */
function requests(call: TimedCall): Promise<LoadResult> {
  const { request } = opened();
  if (request === undefined) throw new Error('this face has no HTTP');
  return repeat(call, Infinity, () => request.call(opened()));
}

/** How often a second, with so many under way at any time; `most` times at most. */
async function repeat({ seconds, inFlight }: TimedCall, most: number, act: () => Promise<void>): Promise<LoadResult> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let begun = 0;
  let done = 0;
  const acts = async () => {
    while (begun < most && performance.now() < end) {
      begun++;
      await act();
      done++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, acts));
  return { value: (done * 1000) / (performance.now() - start), cpu: 0 };
}

/** Bytes of JavaScript heap and buffers that a connection takes which does nothing, both ends together. */
async function idle(count: number): Promise<LoadResult> {
  const held: unknown[] = [await opened().hold()];
  const before = await used();
  for (let i = 0; i < count; i++) held.push(await opened().hold());
  const after = await used();
  if (held.length !== count + 1) throw new Error('a connection is missing');
  return { value: (after - before) / count, cpu: 0 };
}

async function used(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('needs --expose-gc');
  for (let i = 0; i < 3; i++) {
    await turn();
    gc();
  }
  await sleep(50);
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

answer({ open, bulk, connections, requests, idle });
