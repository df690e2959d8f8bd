/** What is measured, and against whom: the peers, each a few processes that stay for the whole run, and the tests. */
import { Child } from './child.ts';
import type { BulkCall, ConnectCall, LoadResult, PingPongCall } from './load.ts';
import type { PairCall, TimedCall } from './pipe.ts';
import type { TunstackCall } from './server.ts';
import { CLOSE_PORT, ECHO_PORT, SINK_PORT, SOURCE_PORT } from './services.ts';

export interface Peer {
  readonly name: string;
  /** Why it cannot be had here. */
  readonly missing?: string | undefined;
  readonly processes: readonly Child[];
  start(): Promise<void>;
  stop(): void;
}

export interface Test {
  readonly title: string;
  readonly unit: 'Gbit/s' | 'us' | 'conn/s' | 'req/s' | 'bytes';
  /** In processes that have done nothing before. */
  readonly fresh?: boolean;
  /** The first one is the baseline. */
  readonly peers: readonly Peer[];
  run(peer: Peer, seconds: number): Promise<LoadResult>;
}

/** What a measurement may take beyond its time, ms. */
const SLACK = 15_000;
const IDLE_CONNECTIONS = 5000;
/** Bytes. */
const PING_PONG_SIZE = 64;

/** A peer across a network, and the load generator that talks to it. */
class NetworkPeer implements Peer {
  readonly name: string;
  readonly missing: string | undefined;
  readonly #call: TunstackCall | 'node';
  #server: Child | undefined;
  #load: Child | undefined;

  constructor(name: string, call: TunstackCall | 'node', missing: string | undefined) {
    this.name = name;
    this.#call = call;
    this.missing = missing;
  }

  get processes(): readonly Child[] {
    return [this.server, this.load];
  }

  get server(): Child {
    return this.#server as Child;
  }

  get load(): Child {
    return this.#load as Child;
  }

  async start(): Promise<void> {
    if (this.#server?.alive === true && this.#load?.alive === true) return;
    this.stop();
    this.#server = new Child('server.js');
    this.#load = new Child('load.js');
    await this.server.call('enter');
    if (this.#call === 'node') {
      await this.load.call('connect', this.server.pid);
      await this.server.call('node');
    } else {
      await this.server.call('tunstack', this.#call);
      await this.load.call('join', this.server.pid);
    }
  }

  stop(): void {
    this.#server?.stop();
    this.#load?.stop();
  }
}

class PairPeer implements Peer {
  readonly name: string;
  readonly missing = undefined;
  readonly #call: PairCall;
  #process: Child | undefined;

  constructor(name: string, call: PairCall) {
    this.name = name;
    this.#call = call;
  }

  get processes(): readonly Child[] {
    return [this.process];
  }

  get process(): Child {
    return this.#process as Child;
  }

  async start(): Promise<void> {
    if (this.#process?.alive === true) return;
    this.#process = new Child('pipe.js', ['--expose-gc']);
    await this.process.call('open', this.#call);
  }

  stop(): void {
    this.#process?.stop();
  }
}

/** @param missing why there is neither TUN nor veth here */
export function plan(missing: string | undefined): Test[] {
  return [...networkTests(missing), ...pairTests(missing === undefined)];
}

function networkTests(missing: string | undefined): Test[] {
  const node = new NetworkPeer('node:net, veth', 'node', missing);
  const tunstack = (name: string, call: TunstackCall) => new NetworkPeer(name, call, missing);
  const offload = tunstack('TUN, offload', { offload: true, mtu: 1500, face: 'socket' });
  const promises = tunstack('TUN, offload, dial / listen', { offload: true, mtu: 1500, face: 'net' });
  const plain = tunstack('TUN, no offload', { offload: false, mtu: 1500, face: 'socket' });
  const jumbo = tunstack('TUN, no offload, MTU 65535', { offload: false, mtu: 65_535, face: 'socket' });
  const four = [node, offload, plain];
  const most = [node, offload, promises, plain];
  const all = [...most, jumbo];
  return [
    bulk('kernel -> peer, 1 connection', all, 'in', 1),
    bulk('kernel -> peer, 4 connections', four, 'in', 4),
    bulk('peer -> kernel, 1 connection', all, 'out', 1),
    bulk('peer -> kernel, 4 connections', four, 'out', 4),
    pingPong('ping-pong 64 B', most, false),
    pingPong('ping-pong 64 B, both ends on one CPU', most, true),
    connections('connect, end, close: 1 in flight', most, 1),
    connections('connect, end, close: 64 in flight', most, 64),
  ];
}

function bulk(title: string, peers: readonly NetworkPeer[], direction: 'in' | 'out', count: number): Test {
  const port = direction === 'in' ? SINK_PORT : SOURCE_PORT;
  return networkTest(title, 'Gbit/s', peers, 'bulk', (seconds): BulkCall => {
    return { direction, port, seconds, connections: count };
  });
}

function pingPong(title: string, peers: readonly NetworkPeer[], pinned: boolean): Test {
  return networkTest(title, 'us', peers, 'pingPong', (seconds, peer): PingPongCall => {
    const call = { port: ECHO_PORT, seconds, size: PING_PONG_SIZE };
    return pinned ? { ...call, pinTo: peer.server.pid } : call;
  });
}

function connections(title: string, peers: readonly NetworkPeer[], inFlight: number): Test {
  return networkTest(title, 'conn/s', peers, 'connections', (seconds): ConnectCall => {
    return { port: CLOSE_PORT, seconds, inFlight };
  });
}

function networkTest(
  title: string,
  unit: Test['unit'],
  peers: readonly NetworkPeer[],
  call: string,
  argument: (seconds: number, peer: NetworkPeer) => unknown,
): Test {
  const run = (peer: Peer, seconds: number) => {
    const { load } = peer as NetworkPeer;
    return load.call<LoadResult>(call, argument(seconds, peer as NetworkPeer), seconds * 1000 + SLACK);
  };
  return { title, unit, peers, run };
}

function pairTests(namespace: boolean): Test[] {
  const node = new PairPeer('node:net, loopback', { face: 'node', mtu: 65_536, offload: true, namespace });
  const offload = new PairPeer('pipe, offload', { face: 'socket', mtu: 1500, offload: true });
  const promises = new PairPeer('pipe, offload, dial / listen', { face: 'net', mtu: 1500, offload: true });
  const own = new PairPeer('pipe, offload, createNet', { face: 'createNet', mtu: 1500, offload: true });
  const plain = new PairPeer('pipe, no offload', { face: 'socket', mtu: 1500, offload: false });
  const jumbo = new PairPeer('pipe, no offload, MTU 65535', { face: 'socket', mtu: 65_535, offload: false });
  const most = [node, offload, promises, own, plain];
  const timed = (title: string, unit: Test['unit'], peers: Peer[], call: string, inFlight: number): Test => {
    const run = (peer: Peer, seconds: number) => {
      const argument: TimedCall = { seconds, inFlight };
      return (peer as PairPeer).process.call<LoadResult>(call, argument, seconds * 1000 + SLACK);
    };
    return { title, unit, peers, run };
  };
  return [
    timed('one process: bulk', 'Gbit/s', [...most, jumbo], 'bulk', 1),
    timed('one process: connect, end, close: 1 in flight', 'conn/s', most, 'connections', 1),
    timed('one process: connect, end, close: 64 in flight', 'conn/s', most, 'connections', 64),
    timed('one process: HTTP, keep-alive: 16 in flight', 'req/s', [node, own], 'requests', 16),
    {
      title: 'one process: heap per idle connection, both ends',
      unit: 'bytes',
      peers: [node, offload, promises, own],
      // What earlier tests left in TIME-WAIT must not be counted.
      fresh: true,
      run: (peer) => (peer as PairPeer).process.call<LoadResult>('idle', IDLE_CONNECTIONS, SLACK),
    },
  ];
}
